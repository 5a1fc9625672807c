import type { AttemptRecord } from '../attempt-record.ts'

/** The bodies of an attempt as text. */
export interface BodyTexts {
  request?: string
  /** What went to the client, in one piece: of a stream, the answer that its pieces make up, where that is known. */
  answer?: string
}

/** Reads the bodies of a record whose bodies are collected; redacts what must not leave. */
export type ReadBodies = (record: AttemptRecord) => BodyTexts | Promise<BodyTexts>

/** The bodies as they passed, a stream in the words of its wire. */
export function bodiesAsTheyCame({ bodies }: AttemptRecord): BodyTexts {
  if (!bodies) return {}
  const { request, answer } = bodies
  return {
    ...(request !== undefined && { request: typeof request === 'string' ? request : textOf([request]) }),
    ...(answer && { answer: textOf(answer) }),
  }
}

function textOf(pieces: readonly Uint8Array[]): string {
  return Buffer.concat(pieces).toString('utf8')
}

/** What a record weighs while it waits, in bytes: mostly its bodies, which are kept for it. */
export function weightOf({ bodies, collectBodies }: AttemptRecord): number {
  let bytes = RECORD
  if (!bodies || !collectBodies) return bytes
  bytes += bodies.request?.length ?? 0
  for (const piece of bodies.answer ?? []) bytes += piece.length
  return bytes
}

/** A record without bodies, roughly. */
const RECORD = 1_000

/** A text of at most so many characters, never with half of a character at its end. */
export function cut(text: string, most: number): { text: string; isCut: boolean } {
  if (text.length <= most) return { text, isCut: false }
  const last = text.charCodeAt(most - 1)
  const half = last >= 0xd800 && last < 0xdc00
  return { text: text.slice(0, half ? most - 1 : most), isCut: true }
}
