import type { JsonObject } from '../conversation/conversation.ts'
import type { UpstreamDialect } from '../dialects/dialect.ts'
import { dialects } from '../dialects/index.ts'
import { openaiChat } from '../dialects/openai-chat/index.ts'
import { withoutMedia } from '../storage/records/media.ts'
import { DEFAULT_BOUNDS } from '../storage/records/options.ts'
import { redactor } from '../storage/records/redact.ts'
import type { AttemptRecord } from '../telemetry/attempt-record.ts'
import type { BodyTexts } from '../telemetry/delivery/bodies.ts'
import type { Understood } from '../telemetry/otel/understood.ts'
import { assemble, readerOfAssembled } from './assemble.ts'

const redact = redactor()
const decoder = new TextDecoder('utf-8', { fatal: true })

/**
 * The bodies of a record as they leave for receivers of traces and records: text, streams put together,
 * without what looks like a secret and without large pictures and sounds. What is no text stays out.
 */
export function readBodies({ bodies, stream }: AttemptRecord): BodyTexts {
  if (!bodies) return {}
  const request = bodies.request === undefined ? undefined : safe(textOf(bodies.request))
  const answer = bodies.answer && safe(answerOf(bodies.answer, stream ? bodies.format : undefined))
  return { ...(request !== undefined && { request }), ...(answer !== undefined && { answer }) }
}

function answerOf(pieces: readonly Uint8Array[], format: string | undefined): string | undefined {
  const bytes = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
  return (format !== undefined ? assemble(format, bytes) : undefined) ?? textOf(bytes)
}

const safe = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : redact(withoutMedia(text, DEFAULT_BOUNDS.media).text).text

function textOf(body: string | Uint8Array): string | undefined {
  if (typeof body === 'string') return body
  try {
    return decoder.decode(body)
  } catch {
    return undefined
  }
}

/** What was said, in the neutral form, as far as the words of client and answer are known. */
export function understand({ bodies, stream, status }: AttemptRecord, { request, answer }: BodyTexts): Understood {
  const format = bodies?.format
  const understood: Understood = {}
  if (format === openaiChat.name && request !== undefined)
    understood.conversation = attempted(() => openaiChat.readRequest(JSON.parse(request) as JsonObject))
  const words = stream
    ? readerOfAssembled(format ?? '')
    : (dialects as Partial<Record<string, UpstreamDialect>>)[format ?? '']
  if (words && status < 300 && answer !== undefined)
    understood.reply = attempted(() => words.readReply(JSON.parse(answer), { memory: {}, quirks: [] }))
  return understood
}

/** Half a text, or one whose pictures were taken out, may not be what its format says: then it is told as text alone. */
function attempted<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
