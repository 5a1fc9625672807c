import { ASSEMBLED, COUNT_BYTES, CUT, compressed, MEMBERS, numberOf, type Pack } from './pack.ts'
import type { Redact } from './redact.ts'
import type { BodyName } from './types.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** What is known of a body beside its bytes. */
export interface About {
  /** Bytes that it had when it passed. */
  size: number
  cut?: boolean
  assembled?: boolean
  replaced?: number
}

const FIRST_ROOM = 256 * 1024
const FIRST_ENTRIES = 2_048
/** A pack is closed with the row that makes it this long. */
const ENOUGH = 1024 * 1024
/** A buffer that had to grow beyond is not kept. */
const MOST_KEPT = 4 * ENOUGH

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Gathers the bodies of one gateway's rows and makes packs of them. They are written one behind the other into a buffer
 * that serves all packs, and looked through for secrets there, all at once: that takes a fraction of the time of looking
 * through each.
 */
export class Packer {
  readonly #redact: Redact | undefined
  readonly #hints: readonly Buffer[]
  #buffer = Buffer.allocUnsafe(FIRST_ROOM)
  #length = 0
  /** As it is kept: its entries' members one behind the other, so many of them so far. */
  #table = new Uint32Array(FIRST_ENTRIES * MEMBERS)
  #entries = 0
  /** Where each body begins. */
  #starts: number[] = []
  /** What was decided, which stands behind all bodies: nobody need look for secrets in it. */
  #explained: { row: number; text: string }[] = []
  #from = 0
  #to = 0

  /** @param secrets what takes them out, and what is in each text that it would change */
  constructor(secrets?: { redact: Redact; hints: readonly Buffer[] }) {
    this.#redact = secrets?.redact
    this.#hints = secrets?.hints ?? []
  }

  /** Lets go of what was gathered. */
  clear(): void {
    this.#entries = 0
    this.#starts = []
    this.#explained = []
    this.#length = 0
  }

  get isEmpty(): boolean {
    return this.#entries === 0 && this.#explained.length === 0
  }

  get isFull(): boolean {
    return this.#length >= ENOUGH
  }

  /** A body as it passed. */
  addText(row: number, name: BodyName, text: string): void {
    this.#makeRoom(text.length * 3)
    this.#noted(row, name, this.#buffer.write(text, this.#length))
  }

  addPieces(row: number, name: BodyName, pieces: readonly Uint8Array[]): void {
    let length = 0
    for (const piece of pieces) length += piece.length
    this.#makeRoom(length)
    let at = this.#length
    for (const piece of pieces) {
      this.#buffer.set(piece, at)
      at += piece.length
    }
    this.#noted(row, name, length)
  }

  explain(row: number, text: string): void {
    this.#begin(row)
    this.#explained.push({ row, text })
  }

  /** One that was changed. */
  add(row: number, name: BodyName, bytes: Uint8Array, { size, cut, assembled, replaced = 0 }: About): void {
    this.#makeRoom(bytes.length)
    this.#buffer.set(bytes, this.#length)
    const flags = (cut ? CUT : 0) | (assembled ? ASSEMBLED : 0)
    this.#noted(row, name, bytes.length, size, flags, replaced)
  }

  /** What was gathered, and begins anew. */
  async finish(): Promise<Pack> {
    const bytes = await compressed(this.#whole())
    const pack = { from: this.#from, to: this.#to, bytes }
    this.clear()
    if (this.#buffer.length > MOST_KEPT) this.#buffer = Buffer.allocUnsafe(FIRST_ROOM)
    return pack
  }

  #noted(row: number, name: BodyName, length: number, size = length, flags = 0, replaced = 0): void {
    this.#begin(row)
    this.#starts.push(this.#length)
    let at = this.#entries++ * MEMBERS
    if (at === this.#table.length) {
      const larger = new Uint32Array(at * 2)
      larger.set(this.#table)
      this.#table = larger
    }
    const table = this.#table
    table[at++] = row - this.#from
    table[at++] = numberOf(name)
    table[at++] = length
    table[at++] = size
    table[at++] = flags
    table[at] = replaced
    this.#length += length
  }

  #begin(row: number): void {
    if (this.isEmpty) this.#from = row
    this.#to = row
  }

  #makeRoom(length: number): void {
    const wanted = this.#length + length
    if (wanted <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(wanted, this.#buffer.length * 2))
    larger.set(this.#buffer.subarray(0, this.#length))
    this.#buffer = larger
  }

  #whole(): Bytes {
    const safe = this.#redact && this.#withoutSecrets(this.#redact)
    if (safe) {
      this.#length = 0
      for (const bytes of safe) {
        this.#makeRoom(bytes.length)
        this.#buffer.set(bytes, this.#length)
        this.#length += bytes.length
      }
    }
    for (const { row, text } of this.#explained) this.addText(row, 'explain', text)
    const table = new Uint8Array(this.#table.buffer, 0, this.#entries * MEMBERS * this.#table.BYTES_PER_ELEMENT)
    this.#makeRoom(table.length + COUNT_BYTES)
    this.#buffer.set(table, this.#length)
    const end = this.#buffer.writeUInt32LE(this.#entries, this.#length + table.length)
    return this.#buffer.subarray(0, end) as Bytes
  }

  /** The bodies one by one, where there was a secret in any of them. */
  #withoutSecrets(redact: Redact): Uint8Array[] | undefined {
    const table = this.#table
    let pieces: Uint8Array[] | undefined
    for (const index of this.#suspects()) {
      const text = textOf(this.#bytesOf(index))
      const safe = text === undefined ? undefined : redact(text)
      if (!safe?.count) continue
      // They are put together in the place where they stand now.
      pieces ??= this.#starts.map((_, each) => new Uint8Array(this.#bytesOf(each)))
      const bytes = Buffer.from(safe.text)
      pieces[index] = bytes
      table[index * MEMBERS + 2] = bytes.length
      table[index * MEMBERS + 5]! += safe.count
    }
    return pieces
  }

  /** The numbers of bodies that have in them what a secret has. A hint across two of them counts for the first. */
  #suspects(): Set<number> {
    const all = this.#buffer.subarray(0, this.#length)
    const suspects = new Set<number>()
    for (const hint of this.#hints) {
      for (let at = all.indexOf(hint); at >= 0 && at < all.length; ) {
        const index = this.#indexAt(at)
        suspects.add(index)
        const next = this.#starts[index + 1]
        if (next === undefined) break
        at = all.indexOf(hint, next)
      }
    }
    return suspects
  }

  /** Which body a place lies in: the last that begins there or before. */
  #indexAt(place: number): number {
    let [from, to] = [0, this.#starts.length]
    while (to - from > 1) {
      const middle = (from + to) >>> 1
      if (this.#starts[middle]! <= place) from = middle
      else to = middle
    }
    return from
  }

  #bytesOf(index: number): Uint8Array {
    return this.#buffer.subarray(this.#starts[index], this.#starts[index + 1] ?? this.#length)
  }
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes)
  } catch {
    return undefined
  }
}
