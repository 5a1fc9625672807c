import type { Value } from './database.ts'
import type { SealedKey } from './key-cipher.ts'

/** The two columns of what is sealed in a row that may have nothing to seal. */
export interface SealedRow {
  ciphertext: Uint8Array | null
  nonce: Uint8Array | null
}

export const sealedIn = ({ ciphertext, nonce }: SealedRow): { sealed?: SealedKey } =>
  ciphertext && nonce ? { sealed: { ciphertext, nonce } } : {}

export const sealedValues = (sealed: SealedKey | undefined): [Value, Value] =>
  sealed ? [sealed.ciphertext, sealed.nonce] : [null, null]
