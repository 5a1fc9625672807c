import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import type { OwnSecret } from './own-secret.ts'

/** A provider's key as it is kept. */
export interface SealedKey {
  /** AES-256-GCM, with its tag of 16 bytes at the end. */
  ciphertext: Uint8Array
  nonce: Uint8Array
}

/** What a sealed key belongs to. It is sealed in, so that a row that was moved elsewhere by hand opens nothing. */
export interface KeyScope {
  provider: string
  alias: string
  gateway?: string
}

export interface KeyCipher {
  /** @throws StorageError when there is no secret and none can be kept */
  seal(key: string, scope: KeyScope): SealedKey
  /**
   * @returns nothing when it cannot be opened: another secret sealed it, or it was changed
   * @throws StorageError when the secret cannot be read
   */
  open(sealed: SealedKey, scope: KeyScope): string | undefined
}

const NONCE_BYTES = 12
const TAG_BYTES = 16
const PURPOSE = 'postern: stored provider keys, version 1'

const boundTo = ({ provider, alias, gateway = '' }: KeyScope) => Buffer.from(JSON.stringify([gateway, provider, alias]))

/**
 * Encrypts the keys of providers under a key that HKDF-SHA-256 makes of the operator's secret.
 * @param given `storage.encryption_key`
 * @param own the secret beside the database, used where nothing was given, and made when the first key is sealed
 */
export function keyCipher(given: string | undefined, own: OwnSecret): KeyCipher {
  let derived: Buffer | undefined
  const keyFrom = (secret: string | undefined): Buffer | undefined => {
    if (!derived && secret !== undefined) derived = Buffer.from(hkdfSync('sha256', secret, '', PURPOSE, 32))
    return derived
  }
  return {
    seal(key, scope) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', keyFrom(given ?? own.make())!, nonce)
      cipher.setAAD(boundTo(scope))
      const ciphertext = Buffer.concat([cipher.update(key, 'utf8'), cipher.final(), cipher.getAuthTag()])
      return { ciphertext, nonce }
    },
    open({ ciphertext, nonce }, scope) {
      // Read anew until it is there: another process may make it while this one runs.
      const secret = derived ?? keyFrom(given ?? own.read())
      if (!secret) return undefined
      try {
        const decipher = createDecipheriv('aes-256-gcm', secret, nonce, { authTagLength: TAG_BYTES })
        decipher.setAAD(boundTo(scope))
        decipher.setAuthTag(ciphertext.subarray(-TAG_BYTES))
        const text = Buffer.concat([decipher.update(ciphertext.subarray(0, -TAG_BYTES)), decipher.final()])
        return text.toString('utf8')
      } catch {
        return undefined
      }
    },
  }
}
