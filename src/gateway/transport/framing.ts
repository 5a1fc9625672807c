import { malformed } from './fault.ts'
import type { Head } from './head.ts'

/** How long a body is: so many bytes, in chunks, or as far as the connection goes. */
export type BodyLength = number | 'chunked' | 'until-close'

export interface Framing {
  length: BodyLength
  /** Seconds for which the connection may be kept after the answer; 0 when it ends with it. */
  keep: number
}

/** A connection that nobody used for so long is closed, unless the server asked for less. */
const KEEP_SECONDS = 60

/**
 * How the body after this head is to be read. Where the headers allow two ways, neither is taken: between two servers
 * that choose differently, that is how one answer is smuggled into another (RFC 9112, section 6.3).
 * @throws an error with the code ERR_HTTP_ANSWER
 */
export function framingOf({ status, old, headers }: Head): Framing {
  const coding = headers.get('transfer-encoding')
  const said = headers.get('content-length')
  if (coding !== null && said !== null) throw malformed('a length beside a transfer coding')
  if (coding !== null && coding.toLowerCase() !== 'chunked') throw malformed('a transfer coding other than chunked')
  if (coding !== null && old) throw malformed('a transfer coding in HTTP/1.0')
  const length = said === null ? undefined : lengthOf(said)
  const bodiless = status === 204 || status === 304
  const body = bodiless ? 0 : coding === null ? (length ?? 'until-close') : 'chunked'
  return { length: body, keep: body === 'until-close' ? 0 : keepSeconds(old, headers) }
}

/** The same length said twice is one length (RFC 9112, section 6.3). */
function lengthOf(said: string): number {
  const first = said.includes(',') ? said.split(',', 1)[0]!.trim() : said
  if (first !== said && said.split(',').some(other => other.trim() !== first)) throw malformed('two lengths')
  if (!/^\d{1,15}$/.test(first)) throw malformed('its length')
  return Number(first)
}

function keepSeconds(old: boolean, headers: Head['headers']): number {
  const connection = headers.get('connection')?.toLowerCase()
  if (connection?.includes('close') || (old && !connection?.includes('keep-alive'))) return 0
  const asked = /(?:^|[,;\s])timeout=(\d{1,9})/i.exec(headers.get('keep-alive') ?? '')
  // A second less than the server waits, so that it does not hang up on a request under way.
  return asked ? Math.min(KEEP_SECONDS, Math.max(0, Number(asked[1]) - 1)) : KEEP_SECONDS
}
