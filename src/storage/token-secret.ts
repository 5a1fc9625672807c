import { randomBytes } from 'node:crypto'

const letters = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const secretLength = 32
/** The largest multiple of 62 in a byte: bytes from here on would favour the first letters. */
const unbiased = 248

/** A new client token: `pst_` and 32 characters of base 62, about 190 bits of chance. */
export function newToken(): string {
  let secret = ''
  while (secret.length < secretLength) {
    for (const byte of randomBytes(48)) {
      if (byte < unbiased && secret.length < secretLength) secret += letters[byte % 62]
    }
  }
  return `pst_${secret}`
}

/** What is kept of a token: SHA-256 in lower-case hex. A long random secret needs no salt and no slow hash. */
export function hashToken(token: string): string {
  return Bun.SHA256.hash(token, 'hex')
}
