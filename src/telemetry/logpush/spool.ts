import { appendFile, mkdir, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A batch that is complete and waits on disk to be sent. */
export interface Segment {
  /** UUID of version 7: by it batches stand in order, and a receiver recognises one that comes twice. */
  id: string
  lines: number
  bytes: number
}

const SEALED = /^([0-9a-f-]{36})-(\d+)\.ndjson$/
const OPEN = /^([0-9a-f-]{36})\.open$/
const LINE_BREAK = 0x0a

/**
 * Batches on disk, so that nothing is lost over a restart: lines go to a file that is open, which is then sealed (given
 * the name of a complete batch), sent, and deleted. Only one process writes to a folder.
 */
export class Spool {
  readonly #folder: string
  readonly #most: number
  #sealed: Segment[] = []
  #open: Segment | undefined
  #bytes = 0
  #dropped = 0
  /** The open file may end in a part of a line, for a write did not go well. */
  #torn = false
  /** What is going on with the files; the next thing waits for it. */
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(folder: string, most: number) {
    this.#folder = folder
    this.#most = most
  }

  /**
   * Opens a folder and takes over what an earlier process left there, but for a line that was not written to its end.
   * @param most bytes; beyond them the oldest batches are let go
   * @param abandoned folders of processes that are no more; what is in them is taken over, too
   * @throws when the folder cannot be made or read
   */
  static async open(folder: string, most: number, abandoned: readonly string[] = []): Promise<Spool> {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    for (const other of abandoned)
      for (const name of await readdir(other))
        if (SEALED.test(name) || OPEN.test(name)) await rename(join(other, name), join(folder, name))
    const spool = new Spool(folder, most)
    await spool.#takeOver()
    return spool
  }

  /** The batch that lines are added to now. */
  get open(): Readonly<Segment> | undefined {
    return this.#open
  }

  /** Bytes on disk. */
  get bytes(): number {
    return this.#bytes
  }

  /** Batches that wait to be sent. */
  get waiting(): number {
    return this.#sealed.length
  }

  /** Lines that were let go because there was no room. */
  get dropped(): number {
    return this.#dropped
  }

  oldest(): Segment | undefined {
    return this.#sealed[0]
  }

  /** Adds lines, all or none of them. @throws when they cannot be written */
  append(text: string, lines: number): Promise<void> {
    return this.#inTurn(async () => {
      const bytes = Buffer.from(text)
      this.#open ??= { id: Bun.randomUUIDv7(), lines: 0, bytes: 0 }
      const open = this.#open
      await this.#untear(open)
      this.#torn = true
      await appendFile(this.#pathOf(open, false), bytes, { mode: 0o600 })
      this.#torn = false
      open.lines += lines
      open.bytes += bytes.length
      this.#bytes += bytes.length
      await this.#makeRoom()
    })
  }

  /** Closes the open batch; none where nothing was added. @throws when the disk does not let it */
  seal(): Promise<void> {
    return this.#inTurn(async () => {
      const open = this.#open
      if (!open?.lines) return
      await this.#untear(open)
      await rename(this.#pathOf(open, false), this.#pathOf(open, true))
      this.#open = undefined
      this.#sealed.push(open)
    })
  }

  read(segment: Segment): Promise<Uint8Array<ArrayBuffer>> {
    return this.#inTurn(() => readFile(this.#pathOf(segment, true)) as Promise<Uint8Array<ArrayBuffer>>)
  }

  /** Lets go of a batch that has arrived. */
  remove(segment: Segment): Promise<void> {
    return this.#inTurn(() => this.#letGo(segment))
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => {})
    return done
  }

  async #letGo(segment: Segment): Promise<void> {
    const at = this.#sealed.indexOf(segment)
    // It had to make room while it was on its way.
    if (at < 0) return
    this.#sealed.splice(at, 1)
    this.#bytes -= segment.bytes
    await rm(this.#pathOf(segment, true), { force: true })
  }

  async #untear(open: Segment): Promise<void> {
    if (!this.#torn) return
    const path = this.#pathOf(open, false)
    if (open.bytes) await truncate(path, open.bytes)
    else await rm(path, { force: true })
    this.#torn = false
  }

  async #makeRoom(): Promise<void> {
    while (this.#bytes > this.#most && this.#sealed.length) {
      const segment = this.#sealed[0]!
      this.#dropped += segment.lines
      await this.#letGo(segment)
    }
  }

  async #takeOver(): Promise<void> {
    for (const name of (await readdir(this.#folder)).sort()) {
      const left = OPEN.exec(name)
      const segment = left ? await this.#mend(left[1]!, name) : await this.#known(name)
      if (!segment) continue
      this.#sealed.push(segment)
      this.#bytes += segment.bytes
    }
    this.#sealed.sort((a, b) => (a.id < b.id ? -1 : 1))
    await this.#makeRoom()
  }

  async #known(name: string): Promise<Segment | undefined> {
    const [, id, lines] = SEALED.exec(name) ?? []
    if (id === undefined) return undefined
    return { id, lines: Number(lines), bytes: (await stat(join(this.#folder, name))).size }
  }

  /** Seals what an earlier process left open. */
  async #mend(id: string, name: string): Promise<Segment | undefined> {
    const path = join(this.#folder, name)
    const bytes = await readFile(path)
    const whole = bytes.subarray(0, bytes.lastIndexOf(LINE_BREAK) + 1)
    if (!whole.length) {
      await rm(path)
      return undefined
    }
    if (whole.length < bytes.length) await writeFile(path, whole)
    const lines = whole.reduce((count, byte) => (byte === LINE_BREAK ? count + 1 : count), 0)
    const segment = { id, lines, bytes: whole.length }
    await rename(path, this.#pathOf(segment, true))
    return segment
  }

  #pathOf({ id, lines }: Segment, sealed: boolean): string {
    return join(this.#folder, sealed ? `${id}-${lines}.ndjson` : `${id}.open`)
  }
}
