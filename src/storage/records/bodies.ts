import type { AttemptRecord, RecordedBodies } from '../../telemetry/attempt-record.ts'
import { referenceTo, withoutMedia } from './media.ts'
import type { Assemble, RecordBounds } from './options.ts'
import type { About, Packer } from './packer.ts'
import type { Redact } from './redact.ts'
import type { BodyName } from './types.ts'

type Bytes = Uint8Array<ArrayBuffer>

export interface BodyRules {
  bounds: RecordBounds
  redact?: Redact
  assemble?: Assemble
}

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
 * Hands a record's bodies to what packs them. Streams are put together, secrets and large pictures taken out, and what is
 * longer than the bound is cut.
 * @param row where the record stands among those of its gateway
 * @param explained what was decided, which is kept without the bodies, too
 */
export function packBodies(
  into: Packer,
  row: number,
  record: AttemptRecord,
  explained: string | undefined,
  rules: BodyRules,
): void {
  const { bodies } = record
  if (bodies && record.collectBodies) {
    const { request, upstreamRequest, answer, upstreamAnswer, cut = false, format } = bodies
    const { requestType, answerType } = record
    if (request) packOne(into, row, 'request', request, requestType, record, rules)
    if (upstreamRequest) packOne(into, row, 'upstream-request', upstreamRequest, requestType, record, rules)
    const streamed = record.stream ? format : undefined
    if (answer) packPieces(into, row, 'answer', answer, answerType, record, rules, cut, streamed)
    if (upstreamAnswer) packPieces(into, row, 'upstream-answer', upstreamAnswer, answerType, record, rules, cut)
  }
  if (explained !== undefined) into.explain(row, explained)
}

function packOne(
  into: Packer,
  row: number,
  name: BodyName,
  body: string | Uint8Array,
  type: string | undefined,
  record: AttemptRecord,
  rules: BodyRules,
): void {
  if (typeof body !== 'string') packPieces(into, row, name, [body], type, record, rules, false)
  // In UTF-8 a character takes three bytes at most.
  else if (isSmall(body.length * 3, rules)) {
    if (body) into.addText(row, name, body)
  } else {
    const { bytes, ...about } = cleaned(body, type, record, rules, undefined)
    into.add(row, name, bytes, about)
  }
}

function packPieces(
  into: Packer,
  row: number,
  name: BodyName,
  pieces: readonly Uint8Array[],
  type: string | undefined,
  record: AttemptRecord,
  rules: BodyRules,
  isCut: boolean,
  format?: string,
): void {
  let length = 0
  for (const piece of pieces) length += piece.length
  if (length === 0) return
  if (!isCut && isSmall(length, rules) && (format === undefined || !rules.assemble)) {
    into.addPieces(row, name, pieces)
    return
  }
  const { bytes, ...about } = cleaned(joined(pieces), type, record, rules, format)
  into.add(row, name, bytes, isCut ? { ...about, cut: true } : about)
}

/** It need not be cut, and no large picture can be in it: only its secrets have to go, which whoever packs it sees to. */
const isSmall = (length: number, { bounds }: BodyRules) => length <= bounds.body && length < (bounds.media * 3) / 4

interface Cleaned extends About {
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
