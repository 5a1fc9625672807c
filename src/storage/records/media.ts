/** What stands in the place of a picture or a sound. */
export interface MediaReference {
  type: string
  bytes: number
  /** Of the bytes themselves, not of their base64. */
  sha256: string
}

const TYPES: readonly [start: string, type: string][] = [
  ['iVBORw0KGgo', 'image/png'],
  ['/9j/', 'image/jpeg'],
  ['R0lGOD', 'image/gif'],
  ['JVBERi0', 'application/pdf'],
  ['SUQz', 'audio/mpeg'],
  ['T2dnUw', 'audio/ogg'],
]

/** RIFF holds pictures and sound; which, it says behind its length. */
const RIFF = 'UklGR'

function typeOf(base64: string): string {
  if (base64.startsWith(RIFF))
    return Buffer.from(base64.slice(0, 16), 'base64').toString('latin1', 8, 12) === 'WEBP' ? 'image/webp' : 'audio/wav'
  return TYPES.find(([start]) => base64.startsWith(start))?.[1] ?? 'application/octet-stream'
}

export function referenceTo(bytes: Uint8Array, type: string): MediaReference {
  return { type, bytes: bytes.length, sha256: new Bun.CryptoHasher('sha256').update(bytes).digest('hex') }
}

/** Starts at quotation marks only, so that it goes over a text once. */
const BASE64_STRING = /"(?:data:([\w.+-]+\/[\w.+-]+)(?:;[\w=.+-]+)*;base64,)?([A-Za-z0-9+/_-]+={0,2})"/g

/**
 * Replaces strings of base64 within JSON by an object that says what was there.
 * @param least characters from which on one is replaced
 */
export function withoutMedia(text: string, least: number): { text: string; count: number } {
  if (text.length < least) return { text, count: 0 }
  let count = 0
  const said = text.replace(BASE64_STRING, (whole, type: string | undefined, base64: string) => {
    if (base64.length < least) return whole
    count++
    return JSON.stringify(referenceTo(Buffer.from(base64, 'base64'), type ?? typeOf(base64)))
  })
  return { text: said, count }
}
