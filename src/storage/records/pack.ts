import type { BodyName, StoredBody } from './types.ts'

type Bytes = Uint8Array<ArrayBuffer>

/**
 * Bodies of rows that follow each other, in one piece: what they have in common is kept once, and one compression and one
 * row of the table serve them all. Within it stand the bodies, then six numbers of 32 bits for each of them, then how many
 * there are.
 */
export interface Pack {
  /** The first and the last row that has something in it, counted from the first row of the batch in its gateway. */
  from: number
  to: number
  bytes: Bytes
}

/** The numbers under which they are kept never change. */
const NAMES: readonly BodyName[] = ['request', 'upstream-request', 'answer', 'upstream-answer', 'explain']
export const numberOf = (name: BodyName): number => NAMES.indexOf(name)

/** Of an entry: its row, counted from the pack's first; its name's number; its length; the size it had; what else; how much was replaced. */
export const MEMBERS = 6
/** Behind the entries stands how many there are. */
export const COUNT_BYTES = 4
export const CUT = 1
export const ASSEMBLED = 2

/** Level 2 takes less time than level 1 for many bodies in one piece, since it finds more of what they have in common. */
const LEVEL = 2
/** From here on another thread compresses. */
const ELSEWHERE = 256 * 1024

export async function compressed(whole: Bytes): Promise<Bytes> {
  const options = { level: LEVEL }
  return whole.length < ELSEWHERE
    ? (Bun.zstdCompressSync(whole, options) as Bytes)
    : ((await Bun.zstdCompress(whole, options)) as Bytes)
}

export async function decompressed(packed: Bytes): Promise<Bytes> {
  const { buffer, byteOffset, length } = (
    packed.length < ELSEWHERE / 8 ? Bun.zstdDecompressSync(packed) : await Bun.zstdDecompress(packed)
  ) as Bytes
  // No Buffer, whose `slice` would be no copy.
  return new Uint8Array(buffer, byteOffset, length)
}

function tableOf(whole: Bytes): Uint32Array {
  const view = new DataView(whole.buffer, whole.byteOffset, whole.byteLength)
  const end = whole.length - COUNT_BYTES
  const count = view.getUint32(end, true)
  const from = end - count * MEMBERS * 4
  if (from < 0) throw new Error('a pack of bodies is damaged')
  return new Uint32Array(whole.slice(from, end).buffer)
}

/** @param row counted from the first of the pack. @returns nothing when the row has no such body */
export function bodyIn(whole: Bytes, row: number, name: BodyName): StoredBody | undefined {
  const table = tableOf(whole)
  const wanted = numberOf(name)
  for (let at = 0, from = 0; at < table.length; at += MEMBERS) {
    const length = table[at + 2]!
    if (table[at] === row && table[at + 1] === wanted) {
      const [flags, replaced] = [table[at + 4]!, table[at + 5]!]
      return {
        bytes: whole.slice(from, from + length),
        size: table[at + 3]!,
        ...(flags & CUT && { cut: true }),
        ...(flags & ASSEMBLED && { assembled: true }),
        ...(replaced > 0 && { replaced }),
      }
    }
    from += length
  }
  return undefined
}

/** The same pack with the bodies of some rows only; nothing when none is left. */
export function onlyRows(whole: Bytes, stays: (row: number) => boolean): Bytes | undefined {
  const table = tableOf(whole)
  const left: number[] = []
  const pieces: Uint8Array[] = []
  for (let at = 0, from = 0; at < table.length; at += MEMBERS) {
    const length = table[at + 2]!
    if (stays(table[at]!)) {
      for (let i = at; i < at + MEMBERS; i++) left.push(table[i]!)
      pieces.push(whole.subarray(from, from + length))
    }
    from += length
  }
  if (!left.length) return undefined
  const numbers = Uint32Array.from([...left, left.length / MEMBERS])
  return Buffer.concat([...pieces, new Uint8Array(numbers.buffer)]) as Bytes
}
