import type { Bytes } from '../../stream/byte-source.ts'
import type { CachedAnswer } from './answer-cache.ts'

/** An answer as it is kept: all but the body in JSON, and the body compressed where that saves something. */
export interface Packed {
  head: string
  body: Bytes
  /** Whether the body is compressed. */
  packed: boolean
}

/** Below it there is next to nothing to save. */
const WORTH_PACKING = 1024
/** From here on another thread compresses: a body of 25 MB would hold up every request for 50 ms. */
const ELSEWHERE = 128 * 1024
/** Measured on answers of 2 and 200 kB, levels 2 and 3 took longer and saved nothing more. */
const LEVEL = 1

/** Compresses an answer. */
export async function pack(answer: CachedAnswer): Promise<Packed> {
  const { body, ...rest } = answer
  const head = JSON.stringify(rest)
  if (body.length < WORTH_PACKING) return { head, body, packed: false }
  const small =
    body.length < ELSEWHERE
      ? Bun.zstdCompressSync(body, { level: LEVEL })
      : await Bun.zstdCompress(body, { level: LEVEL })
  return small.length < body.length ? { head, body: small as Bytes, packed: true } : { head, body, packed: false }
}

/** The answer again. @throws when what was kept is damaged */
export async function unpack({ head, body, packed }: Packed): Promise<CachedAnswer> {
  const rest = JSON.parse(head) as Omit<CachedAnswer, 'body'>
  if (!packed) return { ...rest, body }
  const whole = body.length < ELSEWHERE ? Bun.zstdDecompressSync(body) : await Bun.zstdDecompress(body)
  return { ...rest, body: whole as Bytes }
}
