import { generateKeyPairSync } from 'node:crypto'

/** A key pair as an operator makes it: the public half goes into the gateway's settings. */
export function keyPair(bits = 4_096): { publicKey: string; privateKey: string } {
  return generateKeyPairSync('rsa', {
    modulusLength: bits,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
}
