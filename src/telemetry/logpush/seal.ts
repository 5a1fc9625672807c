import { constants, createCipheriv, createPublicKey, type KeyObject, publicEncrypt, randomBytes } from 'node:crypto'

/** A field that only the holder of the private key can read; each part in base64 (contract 8.5). */
export interface Sealed {
  /** The AES key, wrapped by RSA-OAEP with SHA-256. */
  key: string
  iv: string
  /** The ciphertext of AES-256-GCM and behind it the tag, as WebCrypto has it. */
  data: string
}

/** Encrypts the fields of one log: all under one AES key of its own, each with an initialisation vector of its own. */
export type Seal = (text: string) => Sealed

const LEAST_BITS = 2_048

/** @throws for what is no RSA key in PEM, and for a short one */
export function readPublicKey(pem: string): KeyObject {
  const key = createPublicKey(pem)
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0
  if (key.asymmetricKeyType !== 'rsa' || bits < LEAST_BITS)
    throw new Error(`expected an RSA key of at least ${LEAST_BITS} bits`)
  return key
}

/** Makes what encrypts one log. */
export function sealFor(publicKey: KeyObject): Seal {
  const secret = randomBytes(32)
  const key = publicEncrypt(
    { key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' },
    secret,
  ).toString('base64')
  return text => {
    const iv = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', secret, iv)
    const data = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
    return { key, iv: iv.toString('base64'), data: data.toString('base64') }
  }
}
