/** What the key of a provider may look like, whichever way it comes to be stored. */

const ALIAS = /^[\w.-]{1,64}$/
/** What a header can carry, between the white space that is cut off. */
const HEADER_TEXT = /^[\x20-\x7e]+$/
const PREVIEW = 4

/** 1 to 64 letters, digits, ".", "_" and "-". */
export const isAlias = (text: string): boolean => ALIAS.test(text)

/**
 * A key without the white space around it. JSON in base64, as Vertex takes it, may come in the lines that `base64` makes,
 * and is put together; anything else stays as it is.
 */
export function cleanKey(written: string): string {
  const text = written.trim()
  if (!/^[\w+/=-]+(?:\r?\n[\w+/=-]+)+$/.test(text)) return text
  const joined = text.replace(/\s+/g, '')
  return Buffer.from(joined, 'base64').toString('utf8').trimStart().startsWith('{') ? joined : text
}

/** Why a key that is not empty cannot be one, in words that tell nothing of it; nothing when it can. */
export function wrongKey(key: string): string | undefined {
  if (key.startsWith('{')) {
    try {
      JSON.parse(key)
      return undefined
    } catch {
      return 'the key begins like JSON but is not valid JSON'
    }
  }
  return HEADER_TEXT.test(key) ? undefined : 'the key holds characters that no header can carry'
}

/** The end of a key, by which a person recognises it. Of a short key it would tell too much. */
export const previewOf = (key: string): string => (key.length >= 4 * PREVIEW ? key.slice(-PREVIEW) : '')
