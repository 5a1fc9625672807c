import { Outage, withoutSecrets } from '../delivery/outage.ts'
import { Pause, sleep } from '../delivery/pause.ts'
import { reasonOf } from '../delivery/post.ts'
import type { Logger } from '../log.ts'
import { type Destination, destinationOf } from './destination.ts'
import type { LogpushTarget } from './settings.ts'
import type { Spool } from './spool.ts'

const EVERY_S = 30
const BATCH_BYTES = 5_242_880
const MOST_LINES = 10_000

/** One receiver of records: its batches on disk, and the one that is on its way. */
export class Job {
  readonly target: LogpushTarget
  readonly #spool: Spool
  readonly #destination: Destination
  readonly #receiver: Outage
  readonly #disk: Outage
  readonly #pause = new Pause()
  readonly #hurry = new AbortController()
  readonly #end = new AbortController()
  #timer: ReturnType<typeof setTimeout> | undefined
  #sending: Promise<void> | undefined
  #lost = 0

  constructor(target: LogpushTarget, spool: Spool, log: Logger) {
    this.target = target
    this.#spool = spool
    this.#destination = destinationOf(target)
    const logpush = target.url.startsWith('file:') ? target.url : withoutSecrets(target.url)
    this.#receiver = new Outage(log, { logpush })
    this.#disk = new Outage(log, { logpush, part: 'spool' })
    if (spool.waiting) this.#send()
  }

  /** Bytes that wait on disk. */
  get bytes(): number {
    return this.#spool.bytes
  }

  /** Lines that never arrived and never will. */
  get dropped(): number {
    return this.#spool.dropped + this.#lost
  }

  /** Puts lines on disk. Where the disk does not take them it is tried again until it does, or until this is closed. */
  async append(text: string, lines: number): Promise<void> {
    const pause = new Pause()
    for (;;) {
      try {
        await this.#spool.append(text, lines)
        this.#disk.worked()
        break
      } catch (error) {
        this.#disk.failed(reasonOf(error))
        if (this.#hurry.signal.aborted) {
          this.#lost += lines
          return
        }
        await sleep(pause.next(), this.#hurry.signal)
      }
    }
    const { every = EVERY_S, batch_bytes = BATCH_BYTES } = this.target
    const { open } = this.#spool
    if (open && (open.bytes >= batch_bytes || open.lines >= MOST_LINES)) await this.#seal()
    else this.#timer ??= setTimeout(() => void this.#seal(), every * 1_000)
  }

  /** No more waiting, neither for a disk nor for a receiver. */
  hurry(): void {
    this.#hurry.abort()
  }

  /** Sends what it can; the rest stays on disk for the next start. */
  async close(deadline: Promise<void>): Promise<void> {
    this.hurry()
    await this.#seal()
    await Promise.race([this.#sending, deadline])
    this.#end.abort()
    await this.#sending
    clearTimeout(this.#timer)
  }

  async #seal(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    try {
      await this.#spool.seal()
      this.#send()
    } catch (error) {
      this.#disk.failed(reasonOf(error))
    }
  }

  #send(): void {
    this.#sending ??= this.#sendAll()
      .catch(error => this.#disk.failed(reasonOf(error)))
      .finally(() => {
        this.#sending = undefined
        if (this.#spool.waiting && !this.#hurry.signal.aborted)
          this.#timer ??= setTimeout(() => void this.#seal(), 1_000)
      })
  }

  async #sendAll(): Promise<void> {
    for (let segment = this.#spool.oldest(); segment; segment = this.#spool.oldest()) {
      const body = await this.#spool.read(segment)
      const failed = await this.#destination(segment, body, this.#end.signal)
      if (!failed) {
        this.#receiver.worked()
        this.#pause.over()
        await this.#spool.remove(segment)
        continue
      }
      this.#receiver.failed(failed.reason)
      if (this.#hurry.signal.aborted) return
      await sleep(this.#pause.next(failed.after), this.#hurry.signal)
    }
  }
}
