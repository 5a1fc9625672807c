/** Words in front of a key: `Bearer`, Deepgram's and Replicate's `Token`, fal's `Key`, Baseten's `Api-Key`. */
const SCHEME = /^(?:bearer|token|key|api-key)(?:\s+|$)/i

/**
 * The credential in a header's value, without the scheme that a provider wants in front of it. A value of another kind
 * (`Basic …`, or a signature, `AWS4-HMAC-SHA256 …`) is given as it is. What stands for "no key" is for the caller to know.
 */
export function credentialIn(value: string): string {
  return (value.startsWith('Bearer ') ? value.slice(7) : value.replace(SCHEME, '')).trim()
}

/** Whether a header holds a signature that the client made itself, for the request as it sends it. */
export const isSignature = (value: string) => value.startsWith('AWS4-HMAC-SHA256')
