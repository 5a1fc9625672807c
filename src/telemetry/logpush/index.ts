import { createHash, type KeyObject } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { AttemptRecord } from '../attempt-record.ts'
import { Backlog } from '../delivery/backlog.ts'
import { bodiesAsTheyCame, type ReadBodies, weightOf } from '../delivery/bodies.ts'
import { reasonOf } from '../delivery/post.ts'
import type { Logger } from '../log.ts'
import { Job } from './job.ts'
import { type Cover, lineOf } from './line.ts'
import { readPublicKey, sealFor } from './seal.ts'
import type { LogpushTarget } from './settings.ts'
import { Spool } from './spool.ts'

/** What a gateway says of it. */
export interface LogpushSettings {
  logpush?: boolean
  logpush_public_key?: string | null
}

export interface LogpushOptions {
  /** A folder for what has not arrived yet. */
  spool: string
  targets: readonly LogpushTarget[]
  /** The settings of a gateway as they are now. */
  settingsOf(gateway: string): LogpushSettings | undefined
  log: Logger
  /** How the bodies of a record are read; as they came when left out. */
  readBodies?: ReadBodies
  /** The place of this process among the workers, and how many there are. */
  worker?: number
  workers?: number
  /** Milliseconds that a record may wait for others before it is written to disk. */
  wait?: number
}

interface Waiting {
  record: AttemptRecord
  publicKey?: string
}

/** Records that wait to be written to disk, and the bytes of their bodies. */
const MOST_RECORDS = 16_384
const MOST_BYTES = 67_108_864
/** Lines that are made and written together: encryption takes its time, and others want theirs. */
const AT_ONCE = 32
const MOST_KEYS = 100
const SPOOL_BYTES = 1_073_741_824
/** Milliseconds that a receiver has for its last batch when it is taken out of the configuration. */
const LEAVING_MS = 1_000

/**
 * Pushes records to files, buckets and addresses (contract 8.5). They lie on disk, from within {@link LogpushOptions.wait}
 * of their end until they have arrived, so that neither a receiver that is down nor a restart loses any.
 */
export class Logpush {
  readonly #options: LogpushOptions
  readonly #inbox = new Backlog<Waiting>(MOST_RECORDS, MOST_BYTES)
  readonly #keys = new Map<string, KeyObject | null>()
  #jobs: Job[] = []
  #targets: readonly LogpushTarget[]
  /** Receivers are changing: what comes meanwhile waits. */
  #changing = false
  #changed: Promise<void> = Promise.resolve()
  #timer: ReturnType<typeof setTimeout> | undefined
  #working: Promise<void> | undefined
  #closed = false
  #lost = 0

  private constructor(options: LogpushOptions) {
    this.#options = options
    this.#targets = options.targets
  }

  /** Takes up what an earlier process left on disk. @throws when the folder cannot be used */
  static async open(options: LogpushOptions): Promise<Logpush> {
    const logpush = new Logpush(options)
    for (const target of options.targets) logpush.#jobs.push(await logpush.#jobOf(target))
    return logpush
  }

  /** Takes a record; never waits and never throws. What is not collected is not pushed either. */
  put(record: AttemptRecord): void {
    if (!record.collect || this.#closed || !this.#targets.length) return
    const settings = this.#options.settingsOf(record.gateway)
    if (!settings?.logpush || !this.#targets.some(target => takes(target, record))) return
    const publicKey = settings.logpush_public_key
    this.#inbox.push({ record, ...(publicKey && { publicKey }) }, weightOf(record))
    this.#timer ??= setTimeout(() => this.#work(), this.#options.wait ?? 200)
  }

  /**
   * Follows a changed configuration: a receiver that is what it was goes on, one that was changed is opened anew, and what
   * one that is gone has left lies on disk until it is there again.
   */
  follow(targets: readonly LogpushTarget[]): Promise<void> {
    if (JSON.stringify(targets) === JSON.stringify(this.#targets)) return this.#changed
    this.#targets = targets
    this.#changed = this.#changed.then(() => this.#change(targets))
    return this.#changed
  }

  /** For the metrics: records that are not on disk yet. */
  get waiting(): number {
    return this.#inbox.size
  }

  /** For the metrics: bytes on disk. */
  get spooled(): number {
    return this.#jobs.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /** For the metrics: lines that were lost, because a queue, a spool or the disk was full. */
  get dropped(): number {
    return this.#jobs.reduce((sum, { dropped }) => sum + dropped, this.#inbox.dropped + this.#lost)
  }

  /** Writes everything to disk, and sends what it can in time. @param patience milliseconds for the sending */
  async close(patience = 5_000): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#changed
    for (const job of this.#jobs) job.hurry()
    await this.#working
    await this.#write()
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, patience)
    await Promise.all(this.#jobs.map(job => job.close(promise)))
    clearTimeout(timer)
  }

  async #change(targets: readonly LogpushTarget[]): Promise<void> {
    if (this.#closed) return
    this.#changing = true
    await this.#working
    const wanted = new Set(targets.map(target => JSON.stringify(target)))
    const [stay, go] = [true, false].map(stays =>
      this.#jobs.filter(({ target }) => wanted.has(JSON.stringify(target)) === stays),
    ) as [Job[], Job[]]
    // Their folders must be free before anybody else writes there.
    await Promise.all(go.map(job => job.close(Bun.sleep(LEAVING_MS))))
    this.#lost += go.reduce((sum, { dropped }) => sum + dropped, 0)
    this.#jobs = stay
    const known = new Set(stay.map(({ target }) => JSON.stringify(target)))
    for (const target of targets) {
      if (known.has(JSON.stringify(target))) continue
      try {
        this.#jobs.push(await this.#jobOf(target))
      } catch (error) {
        this.#options.log.error({ reason: reasonOf(error) }, 'the folder of a receiver of records cannot be used')
      }
    }
    this.#changing = false
    if (this.#inbox.size && !this.#closed) this.#timer ??= setTimeout(() => this.#work(), 0)
  }

  async #jobOf(target: LogpushTarget): Promise<Job> {
    const { spool, log, worker = 0, workers = 1 } = this.#options
    const folder = join(spool, nameOf(target))
    const abandoned = worker === 0 ? await foldersFrom(folder, workers) : []
    const most = target.spool_bytes ?? SPOOL_BYTES
    return new Job(target, await Spool.open(join(folder, String(worker)), most, abandoned), log)
  }

  #work(): void {
    if (this.#changing) {
      this.#timer = undefined
      return
    }
    this.#working = this.#write().finally(() => {
      this.#timer = undefined
      this.#working = undefined
      if (this.#inbox.size && !this.#closed) this.#timer = setTimeout(() => this.#work(), 0)
    })
  }

  async #write(): Promise<void> {
    for (let waiting = this.#inbox.take(AT_ONCE); waiting.length; waiting = this.#inbox.take(AT_ONCE)) {
      const lines: { record: AttemptRecord; line: string }[] = []
      for (const one of waiting) {
        const line = await this.#lineOf(one)
        if (line !== undefined) lines.push({ record: one.record, line })
      }
      await Promise.all(
        this.#jobs.map(job => {
          const taken = lines.filter(({ record }) => takes(job.target, record))
          return taken.length ? job.append(taken.map(({ line }) => line).join(''), taken.length) : undefined
        }),
      )
      await Bun.sleep(0)
    }
  }

  async #lineOf({ record, publicKey }: Waiting): Promise<string | undefined> {
    const { readBodies = bodiesAsTheyCame, log } = this.#options
    try {
      const texts = record.collectBodies && record.bodies ? await readBodies(record) : {}
      return lineOf(record, texts, this.#coverOf(publicKey, record.gateway))
    } catch (error) {
      this.#lost++
      log.error({ error, id: record.id }, 'a record could not be written for logpush')
      return undefined
    }
  }

  /** With a key that cannot be used the fields stay out: they never go in clear where encryption was asked for. */
  #coverOf(pem: string | undefined, gateway: string): Cover {
    if (pem === undefined) return 'plain'
    let key = this.#keys.get(pem)
    if (key === undefined) {
      key = this.#readKey(pem, gateway)
      if (this.#keys.size >= MOST_KEYS) this.#keys.clear()
      this.#keys.set(pem, key)
    }
    return key ? sealFor(key) : 'hidden'
  }

  #readKey(pem: string, gateway: string): KeyObject | null {
    try {
      return readPublicKey(pem)
    } catch (error) {
      this.#options.log.error(
        { gateway, reason: reasonOf(error) },
        'logpush_public_key is no RSA key in PEM that can be used: metadata and bodies are left out of what is pushed',
      )
      return null
    }
  }
}

const takes = (target: LogpushTarget, { gateway }: AttemptRecord): boolean =>
  target.gateway === undefined || target.gateway === gateway

/** The folder of a receiver: the same for the same receiver over restarts, and nothing of its address. */
const nameOf = ({ url, gateway = '' }: LogpushTarget): string =>
  createHash('sha256').update(`${gateway}\n${url}`).digest('hex').slice(0, 16)

/** The folders of workers that there are no longer. */
async function foldersFrom(folder: string, workers: number): Promise<string[]> {
  const names = await readdir(folder).catch(() => [] as string[])
  return names.filter(name => /^\d+$/.test(name) && Number(name) >= workers).map(name => join(folder, name))
}
