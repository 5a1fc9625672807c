const DASH = 45
const NONE = 0xff

/** What a character stands for as a digit of sixteen. */
const DIGITS = new Uint8Array(256).fill(NONE)
for (let digit = 0; digit < 16; digit++) {
  const text = digit.toString(16)
  DIGITS[text.charCodeAt(0)] = digit
  DIGITS[text.toUpperCase().charCodeAt(0)] = digit
}

/** A UUID in 16 bytes, which take half the room and half the time of its text; nothing for what is none. */
export function bytesOfUuid(id: string): Uint8Array | undefined {
  if (id.length !== 36) return undefined
  const bytes = new Uint8Array(16)
  let wrong = 0
  for (let from = 0, to = 0; from < 36; from += 2) {
    if (from === 8 || from === 13 || from === 18 || from === 23) wrong |= id.charCodeAt(from++) ^ DASH
    const [high, low] = [DIGITS[id.charCodeAt(from)] ?? NONE, DIGITS[id.charCodeAt(from + 1)] ?? NONE]
    wrong |= (high | low) & 0xf0
    bytes[to++] = (high << 4) | low
  }
  return wrong ? undefined : bytes
}

export function uuidOf(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
