import { upstreamFault } from '../gateway/fault.ts'
import type { Framing } from '../stream/frame.ts'
import { framer } from '../stream/framer.ts'

/** The client's word for a request, by which it knows its answer. */
export type EventId = string | number | undefined

/** Sends one frame of JSON, when the client has room for it. */
export type SendFrame = (frame: string) => Promise<void> | undefined

/** What the first and the last frame of an answer tell of it (contract 1.9). */
interface Metadata {
  cacheStatus: string
  eventId: EventId
  logId?: string
  step: string
  contentType: string
  /** `response` is the base64 of an answer that is no text. */
  encoding?: 'base64'
}

/** An answer in one frame must be held whole; audio and images of models stay well below. */
const LARGEST_WHOLE = 32 * 1024 * 1024

const FRAMINGS: readonly (readonly [string, Framing])[] = [
  ['text/event-stream', 'sse'],
  ['application/x-ndjson', 'ndjson'],
  ['application/ndjson', 'ndjson'],
  ['application/vnd.amazon.eventstream', 'aws-event-stream'],
]

/** An answer of the universal endpoint as frames of a socket: a stream in many, anything else in one. */
export async function sendAnswer(response: Response, eventId: EventId, send: SendFrame): Promise<void> {
  const { headers } = response
  const contentType = headers.get('content-type') ?? ''
  const metadata: Metadata = {
    cacheStatus: headers.get('cf-aig-cache-status') ?? 'MISS',
    eventId,
    logId: headers.get('cf-aig-log-id') ?? undefined,
    step: headers.get('cf-aig-step') ?? '0',
    contentType,
  }
  const framing = response.ok ? FRAMINGS.find(([type]) => contentType.startsWith(type))?.[1] : undefined
  const { body } = response
  if (framing && body) await sendStream(body, framing, metadata, send)
  else await sendWhole(response, metadata, send)
}

async function sendStream(
  body: ReadableStream<Uint8Array>,
  framing: Framing,
  metadata: Metadata,
  send: SendFrame,
): Promise<void> {
  const frames = framer(framing)
  const reader = body.getReader()
  const { eventId } = metadata
  try {
    await send(frameOf('universal.created', metadata))
    for (let over = false; !over; ) {
      const { done, value } = await reader.read()
      over = done
      for (const { data, event, comment, exception } of value ? frames.push(value) : frames.end()) {
        if (comment || data === '[DONE]') continue
        // Amazon's frames have their kind beside their data, all others within it.
        const kind = framing === 'aws-event-stream' ? { event, exception } : undefined
        await send(frameOf('universal.stream', { eventId, ...kind }, { response: data }))
      }
    }
    await send(frameOf('universal.done', metadata))
  } finally {
    // Does nothing at the end; before it, whoever sends has no client any more, or the stream is none.
    reader.cancel().catch(() => {})
  }
}

async function sendWhole(response: Response, metadata: Metadata, send: SendFrame): Promise<void> {
  const bytes = await wholeOf(response)
  const text = textIn(bytes, metadata.contentType)
  if (text === undefined) metadata.encoding = 'base64'
  const answer = text ?? Buffer.from(bytes).toString('base64')
  const isJson = text !== undefined && !metadata.contentType.startsWith('text/')
  const told = { [isJson ? 'response' : 'text']: answer }
  if (response.ok) {
    await send(frameOf('universal.created', metadata, told))
    return
  }
  const { status } = response
  const error = { code: status, message: `the provider answered with status ${status}; its answer is in "response"` }
  await send(frameOf('universal.error', metadata, { ...told, status, error }))
}

/** @throws GatewayFault for an answer that is too large for a frame */
async function wholeOf({ body }: Response): Promise<Uint8Array> {
  if (!body) return new Uint8Array()
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const bytes of body as ReadableStream<Uint8Array>) {
    size += bytes.length
    if (size > LARGEST_WHOLE)
      throw upstreamFault(
        'closed',
        'the provider',
        `it is larger than the ${LARGEST_WHOLE} bytes that a frame may hold`,
      )
    pieces.push(bytes)
  }
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
}

/** An answer that is text by its type or, where it has none, by its bytes. */
function textIn(bytes: Uint8Array, type: string): string | undefined {
  const isText = /^(?:text\/|application\/(?:[\w.-]+\+)?(?:json|xml))|json/i.test(type)
  if (!isText && type !== '') return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

interface Told {
  /** Goes in as it is where it is JSON, so that no digit of a number is lost, and as a text where it is none. */
  response?: string
  /** Goes in as a text, whatever it is. */
  text?: string
  status?: number
  error?: { code: number; message: string }
}

/** A frame as it goes out. */
export function frameOf(
  type: 'universal.created' | 'universal.stream' | 'universal.done' | 'universal.error',
  metadata: Metadata | { eventId: EventId },
  { response, text, ...rest }: Told = {},
): string {
  const head = JSON.stringify({ type, metadata, ...rest })
  if (response === undefined && text === undefined) return head
  const value = response !== undefined && isJson(response) ? response : JSON.stringify(response ?? text)
  return `${head.slice(0, -1)},"response":${value}}`
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
