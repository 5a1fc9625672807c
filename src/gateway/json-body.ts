import type { JsonObject } from '../conversation/conversation.ts'
import type { UpstreamAnswer } from './upstream.ts'

/** The object that a body is; nothing where it is no JSON, or another kind of it. */
export function jsonOf(body: Uint8Array | string | undefined): JsonObject | undefined {
  if (!body?.length) return undefined
  try {
    const value: unknown = JSON.parse(typeof body === 'string' ? body : Buffer.from(body).toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined
  } catch {
    return undefined
  }
}

/** A body larger than this is no error message and no chat answer. */
const LARGEST = { error: 1024 * 1024, answer: 256 * 1024 * 1024 }

export interface ReadBody {
  text: string
  /** The parsed JSON, or the text where it is none. */
  value: unknown
  json: boolean
}

/** Reads an answer whole and parses it. @throws whatever the connection says, or a RangeError when it has no end */
export async function readBody(came: UpstreamAnswer, kind: keyof typeof LARGEST): Promise<ReadBody> {
  const text = await readText(came, LARGEST[kind])
  try {
    return { text, value: JSON.parse(text), json: true }
  } catch {
    return { text, value: text, json: false }
  }
}

async function readText(came: UpstreamAnswer, limit: number): Promise<string> {
  const decoder = new TextDecoder()
  if (Number(came.headers.get('content-length') ?? Number.POSITIVE_INFINITY) <= limit)
    return decoder.decode(await came.bytes())
  let text = ''
  if (came.body)
    for (let bytes = await came.body.read(); bytes; bytes = await came.body.read()) {
      text += decoder.decode(bytes, { stream: true })
      if (text.length > limit) throw new RangeError(`its answer is larger than ${limit} characters`)
    }
  return text + decoder.decode()
}
