import { dollarsOf } from '../../costs/money.ts'
import type { AttemptRecord } from '../attempt-record.ts'
import type { BodyTexts } from '../delivery/bodies.ts'
import type { Seal } from './seal.ts'

/** Cloudflare's largest log (contract 8.5). */
const LONGEST_LINE = 1_048_576
/** Bytes of a body that fit in twice, in base64. */
const LONGEST_BODY = 350_000

/** Cloudflare's numbers for a limit of requests or tokens. */
const RATE_LIMITS = new Set([2003, 2018])

/** Hides the fields that may hold what people said; `hidden` where the key for it cannot be used. */
export type Cover = Seal | 'plain' | 'hidden'

/**
 * One record as a line of the data set `ai_gateway_events` (contract 8.5), with ours behind Cloudflare's fields, and a
 * line break. It is never longer than 1 MB: bodies are cut for it, and `Truncated` names them.
 */
export function lineOf(record: AttemptRecord, { request, answer }: BodyTexts, cover: Cover): string {
  for (let most = LONGEST_BODY; ; most = Math.floor(most / 2)) {
    const truncated: string[] = []
    const body = (name: string, text: string | undefined) => {
      if (text === undefined) return null
      const short = cutBytes(text, most)
      if (short.length < text.length) truncated.push(name)
      return covered(short, cover, short.length === text.length)
    }
    const { metadata, error, usage, cost } = record
    const line = `${JSON.stringify({
      Gateway: record.gateway,
      Provider: record.provider ?? null,
      Model: record.model ?? null,
      Endpoint: record.path,
      StatusCode: record.status,
      Cached: record.cached,
      RateLimited: error?.number !== undefined && RATE_LIMITS.has(error.number),
      Timestamp: new Date(record.at).toISOString(),
      Metadata: metadata ? covered(JSON.stringify(metadata), cover, true) : null,
      RequestBody: body('RequestBody', request),
      ResponseBody: body('ResponseBody', answer),
      LogID: record.id,
      EventID: record.event,
      RequestID: record.request,
      Step: record.step ?? null,
      Attempt: record.attempt,
      Duration: record.duration,
      Token: record.token ?? null,
      TokensIn: usage?.input ?? null,
      TokensOut: usage?.output ?? null,
      Cost: cost ? dollarsOf(cost.pico) : null,
      Error: error?.code ?? null,
      ...(truncated.length && { Truncated: truncated }),
    })}\n`
    if (line.length <= LONGEST_LINE && Buffer.byteLength(line) <= LONGEST_LINE) return line
    // Names and metadata are bounded elsewhere; should they fill a line by themselves, it goes as it is.
    if (most === 0) return line
  }
}

/** JSON stands in the line as JSON, anything else as text. */
function covered(text: string, cover: Cover, isWhole: boolean): unknown {
  if (cover === 'hidden') return null
  if (cover !== 'plain') return cover(text)
  if (!isWhole) return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function cutBytes(text: string, most: number): string {
  if (text.length * 3 <= most || Buffer.byteLength(text) <= most) return text
  const bytes = Buffer.from(text.slice(0, most))
  let end = Math.min(most, bytes.length)
  // Not in the middle of a character.
  while (end > 0 && end < bytes.length && (bytes[end]! & 0xc0) === 0x80) end--
  return bytes.toString('utf8', 0, end)
}
