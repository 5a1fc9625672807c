import type { AttemptRecord, RecordedBodies } from '../../telemetry/attempt-record.ts'
import { referenceTo, withoutMedia } from './media.ts'
import type { Assemble, RecordBounds } from './options.ts'
import type { Redact } from './redact.ts'
import type { BodyName, Explained, StoredBody } from './types.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** What is known of a part; its bytes stand behind those of the parts before it. */
interface Part {
  name: BodyName
  length: number
  size: number
  cut?: boolean
  assembled?: boolean
  replaced?: number
}

export interface BodyRow {
  /** JSON of {@link Part}s. */
  parts: string
  packed: boolean
  bytes: Bytes
}

export interface BodyRules {
  bounds: RecordBounds
  redact?: Redact
  assemble?: Assemble
}

/** Below it there is next to nothing to save. */
const WORTH_PACKING = 128
/** From here on another thread compresses. */
const ELSEWHERE = 128 * 1024
const LEVEL = 1

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Bytes of bodies that a record holds, about. */
export function weightOf({ request, upstreamRequest, answer, upstreamAnswer }: RecordedBodies): number {
  let weight = (request?.length ?? 0) + (upstreamRequest?.length ?? 0)
  for (const piece of answer ?? []) weight += piece.length
  for (const piece of upstreamAnswer ?? []) weight += piece.length
  return weight
}

/**
 * The row of a record's bodies, all of them in one piece since they have much in common. Streams are put together,
 * secrets and large pictures taken out, and what is longer than the bound is cut.
 * @param explained what was decided, which is kept without the bodies, too
 * @returns nothing when there is nothing to keep
 */
export async function bodyRow(
  record: AttemptRecord,
  explained: Explained | undefined,
  rules: BodyRules,
): Promise<BodyRow | undefined> {
  const bodies = record.collectBodies ? record.bodies : undefined
  const parts: Part[] = []
  const pieces: Bytes[] = []
  const add = (name: BodyName, bytes: Bytes, about: Omit<Part, 'name' | 'length'>) => {
    parts.push({ name, length: bytes.length, ...about })
    pieces.push(bytes)
  }
  if (bodies) {
    const { request, upstreamRequest, answer, upstreamAnswer, cut, format } = bodies
    const take = (name: BodyName, body: string | Bytes | undefined, type: string | undefined, form?: string) => {
      if (body === undefined || body.length === 0) return
      const isCut = cut && (name === 'answer' || name === 'upstream-answer')
      const { bytes, ...about } = cleaned(body, type, record, rules, form)
      add(name, bytes, { ...about, ...(isCut && { cut: true }) })
    }
    take('request', request as string | Bytes | undefined, record.requestType)
    take('upstream-request', upstreamRequest as string | Bytes | undefined, record.requestType)
    take('answer', answer && joined(answer), record.answerType, record.stream ? format : undefined)
    take('upstream-answer', upstreamAnswer && joined(upstreamAnswer), record.answerType)
  }
  if (explained) {
    const bytes = encoder.encode(JSON.stringify(explained))
    add('explain', bytes, { size: bytes.length })
  }
  if (!parts.length) return undefined
  const whole = joined(pieces)
  const said = JSON.stringify(parts)
  if (whole.length < WORTH_PACKING) return { parts: said, packed: false, bytes: whole }
  const small =
    whole.length < ELSEWHERE
      ? Bun.zstdCompressSync(whole, { level: LEVEL })
      : await Bun.zstdCompress(whole, { level: LEVEL })
  return small.length < whole.length
    ? { parts: said, packed: true, bytes: small as Bytes }
    : { parts: said, packed: false, bytes: whole }
}

/** @returns nothing when the row has no such part. @throws when what was kept is damaged */
export async function bodyIn(row: BodyRow, name: BodyName): Promise<StoredBody | undefined> {
  const parts = JSON.parse(row.parts) as Part[]
  const index = parts.findIndex(part => part.name === name)
  if (index < 0) return undefined
  const { name: _, length, ...about } = parts[index]!
  const whole = row.packed ? ((await Bun.zstdDecompress(row.bytes)) as Bytes) : row.bytes
  const from = parts.slice(0, index).reduce((sum, part) => sum + part.length, 0)
  return { bytes: whole.slice(from, from + length), ...about }
}

interface Cleaned extends Omit<Part, 'name' | 'length'> {
  bytes: Bytes
}

function cleaned(
  body: string | Bytes,
  type: string | undefined,
  record: AttemptRecord,
  { bounds, redact, assemble }: BodyRules,
  format: string | undefined,
): Cleaned {
  const size = typeof body === 'string' ? Buffer.byteLength(body) : body.length
  const assembled = format !== undefined && typeof body !== 'string' ? assemble?.(format, body, record) : undefined
  let text = assembled ?? textOf(body)
  if (text === undefined) return binary(body as Bytes, type, size, bounds)
  const media = withoutMedia(text, bounds.media)
  const safe = redact?.(media.text)
  text = safe?.text ?? media.text
  const replaced = media.count + (safe?.count ?? 0)
  const { bytes, cut } = within(encoder.encode(text), bounds.body)
  return {
    bytes,
    size,
    ...(cut && { cut }),
    ...(assembled !== undefined && { assembled: true }),
    ...(replaced > 0 && { replaced }),
  }
}

/** What is no text is a sound, a picture or a form with files: only small ones are kept. */
function binary(body: Bytes, type = 'application/octet-stream', size: number, bounds: RecordBounds): Cleaned {
  // As much as base64 of that length would hold.
  if (body.length <= (bounds.media * 3) / 4) return { bytes: body, size }
  return { bytes: encoder.encode(JSON.stringify(referenceTo(body, type))), size, replaced: 1 }
}

function textOf(body: string | Bytes): string | undefined {
  if (typeof body === 'string') return body
  try {
    return strict.decode(body)
  } catch {
    // A text may have been cut in the middle of a character.
    const text = decoder.decode(body)
    const broken = text.indexOf('\ufffd')
    return broken >= 0 && broken >= text.length - 3 ? text.slice(0, broken) : undefined
  }
}

/** Cut where a character ends. */
function within(bytes: Bytes, most: number): { bytes: Bytes; cut?: boolean } {
  if (bytes.length <= most) return { bytes }
  let end = most
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--
  return { bytes: bytes.slice(0, end), cut: true }
}

function joined(pieces: readonly Uint8Array[]): Bytes {
  return pieces.length === 1 ? (pieces[0] as Bytes) : (Buffer.concat(pieces) as Bytes)
}
