import { type Bytes, bytesOf, sourceOf, webStreamOf } from '../../stream/byte-source.ts'
import type { Answer } from './answer.ts'
import { fault } from './fault.ts'
import type { AnswerHeaders } from './head.ts'

type Format = ConstructorParameters<typeof DecompressionStream>[0]

const FORMATS: Record<string, Format> = {
  gzip: 'gzip',
  'x-gzip': 'gzip',
  deflate: 'deflate',
  br: 'brotli',
  zstd: 'zstd',
}

/**
 * The answer as it was before a server encoded it, though it was asked not to. Its length is not known any more.
 * @throws an error with the code ERR_CONTENT_ENCODING for an encoding that is not known
 */
export function decoded(answer: Answer, encoding: string): Answer {
  const format = FORMATS[encoding.toLowerCase()]
  if (!format) throw fault('ERR_CONTENT_ENCODING', 'the answer has an encoding that is not known')
  const stream = webStreamOf(answer.body!).pipeThrough(new DecompressionStream(format) as TransformStream<Bytes, Bytes>)
  return ofStream(answer.status, withoutEncoding(answer.headers), stream)
}

/** An answer whose body is a web stream. */
export function ofStream(status: number, headers: AnswerHeaders, stream: ReadableStream<Bytes> | null): Answer {
  const body = stream && sourceOf(stream)
  return { status, headers, body, bytes: async () => (body ? bytesOf(body) : new Uint8Array()) }
}

function withoutEncoding(headers: AnswerHeaders): AnswerHeaders {
  const kept = new Headers()
  headers.forEach((value, name) => {
    if (name !== 'content-encoding' && name !== 'content-length') kept.append(name, value)
  })
  return kept
}
