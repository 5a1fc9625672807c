import type { JsonObject } from '../conversation/conversation.ts'
import { GatewayFault } from '../gateway/fault.ts'

/** A request's body as the client wrote it, beside what it means. */
export interface JsonBody {
  text: string
  value: JsonObject
}

const ENCODINGS: Record<string, 'gzip' | 'deflate' | 'brotli' | 'zstd'> = {
  gzip: 'gzip',
  'x-gzip': 'gzip',
  deflate: 'deflate',
  br: 'brotli',
  zstd: 'zstd',
}

/**
 * Reads a JSON object, compressed or not (T81), up to a size that counts what it unpacks to.
 * @param limit in bytes
 * @throws GatewayFault 413 for a body that is too large, 415 for an unknown encoding, 400 for what is no JSON object
 */
export async function readJsonBody(request: Request, limit: number): Promise<JsonBody> {
  const text = await readText(request, limit)
  const value = parseJson(text)
  if (!value || typeof value !== 'object' || Array.isArray(value)) throw badBody('the body must be a JSON object')
  return { text, value: value as JsonObject }
}

/** @throws GatewayFault 400 for what is no JSON */
export function parseJson(text: string): unknown {
  if (!text.trim()) throw badBody('the body is empty; expected JSON')
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw badBody(`the body is not valid JSON${whereOf(cause, text)}`)
  }
}

/**
 * Reads a body as it came, packed or not, for a provider that is to get the same bytes.
 * @returns undefined where there is none
 * @throws GatewayFault 413 for a body that is too large, 400 for one that did not arrive whole
 */
export async function readBytes(request: Request, limit: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const length = request.headers.get('content-length')
  if (Number(length ?? 0) > limit) throw tooLarge(limit)
  if (length === null && !request.headers.has('transfer-encoding')) return undefined
  if (length === null && request.body) return gatherBytes(request.body as ReadableStream<Uint8Array>, limit)
  try {
    return new Uint8Array(await request.arrayBuffer())
  } catch {
    throw badBody('the body did not arrive whole')
  }
}

async function gatherBytes(stream: ReadableStream<Uint8Array>, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const bytes of stream) {
    size += bytes.length
    if (size > limit) throw tooLarge(limit)
    pieces.push(bytes)
  }
  return Buffer.concat(pieces)
}

/** Reads a body as text. @throws GatewayFault as {@link readJsonBody} does */
export async function readText(request: Request, limit: number): Promise<string> {
  if (Number(request.headers.get('content-length') ?? 0) > limit) throw tooLarge(limit)
  const encoding = request.headers.get('content-encoding')?.trim().toLowerCase()
  const packed = encoding && encoding !== 'identity'
  if (!packed && request.headers.has('content-length')) {
    try {
      return await request.text()
    } catch {
      throw badBody('the body did not arrive whole')
    }
  }
  if (packed && !ENCODINGS[encoding])
    throw new GatewayFault({
      status: 415,
      code: 'unsupported_encoding',
      param: 'content-encoding',
      message: 'content-encoding: expected gzip, deflate, br or zstd',
    })
  if (!request.body) return ''
  // The types of Bun and of the standard disagree about the kind of buffer inside.
  const bytes = packed
    ? request.body.pipeThrough(new DecompressionStream(ENCODINGS[encoding] as 'gzip') as never)
    : request.body
  return gather(bytes as ReadableStream<Uint8Array>, limit)
}

/** Stops at the limit, so that a few packed bytes cannot fill the memory. */
async function gather(stream: ReadableStream<Uint8Array>, limit: number): Promise<string> {
  const decoder = new TextDecoder()
  const pieces: string[] = []
  let size = 0
  try {
    for await (const bytes of stream) {
      size += bytes.length
      if (size > limit) throw tooLarge(limit)
      pieces.push(decoder.decode(bytes, { stream: true }))
    }
  } catch (fault) {
    if (fault instanceof GatewayFault) throw fault
    throw badBody('the body could not be unpacked or did not arrive whole')
  }
  return pieces.join('') + decoder.decode()
}

/** Line and column of a syntax error, which the parser does not tell: where the longest valid beginning ends. */
function whereOf(cause: unknown, text: string): string {
  const message = cause instanceof Error ? cause.message : ''
  if (/unexpected eof|end of/i.test(message)) return ': it ends too early'
  const lines = text.length < 100_000 ? text.split('\n').length : 0
  return lines > 1 ? ` (it has ${lines} lines)` : ''
}

const badBody = (message: string) => new GatewayFault({ status: 400, code: 'invalid_json', message })

const tooLarge = (limit: number) =>
  new GatewayFault({
    status: 413,
    code: 'request_too_large',
    message: `the body is larger than ${limit} bytes (server.max_body in postern.yaml)`,
  })
