import type { AttemptRecord } from '../attempt-record.ts'
import { Backlog } from '../delivery/backlog.ts'
import { type BodyTexts, bodiesAsTheyCame, type ReadBodies, weightOf } from '../delivery/bodies.ts'
import type { Logger } from '../log.ts'
import { attributesOf, type SpanAttributes } from './attributes.ts'
import { type OtelTarget, Receiver } from './receiver.ts'
import { origin, spanOf } from './span.ts'
import { beginTrace, type Trace } from './trace.ts'
import type { Understood } from './understood.ts'

export type { OtelTarget } from './receiver.ts'

export interface TracesOptions {
  log: Logger
  /** Of this program; spans say it. */
  version: string
  /** The receivers of a gateway, as its settings name them now. */
  targetsOf(gateway: string): readonly OtelTarget[] | null | undefined
  /** How the bodies of a record are read; as they came when left out. */
  readBodies?: ReadBodies
  /** What was said, in the neutral form, for spans of records whose bodies are collected; given those as they were read. */
  understand?(record: AttemptRecord, texts: BodyTexts): Understood | undefined
  /** Milliseconds that a span may wait for others to travel with. */
  wait?: number
}

interface Waiting {
  record: AttemptRecord
  targets: readonly OtelTarget[]
}

/** Records that wait to become spans, and the bytes of their bodies. */
const MOST_RECORDS = 16_384
const MOST_BYTES = 67_108_864
/** Spans made before others get their turn. */
const AT_ONCE = 64
/** Receivers that are remembered: settings change, and those of old ones go when they have nothing left to send. */
const MOST_RECEIVERS = 64

/**
 * Sends each attempt as a span to the receivers of its gateway (contract 8.6), in batches, off the request's way. What a
 * receiver that is down cannot take waits in a bounded queue; what finds no room there is counted.
 */
export class Traces {
  readonly #options: TracesOptions
  readonly #inbox = new Backlog<Waiting>(MOST_RECORDS, MOST_BYTES)
  readonly #receivers = new Map<string, Receiver>()
  readonly #keys = new WeakMap<OtelTarget, string>()
  readonly #origin
  #timer: ReturnType<typeof setTimeout> | undefined
  #making: Promise<void> | undefined
  #forgotten = 0
  #closed = false

  constructor(options: TracesOptions) {
    this.#options = options
    this.#origin = origin(options.version)
  }

  /** Takes an attempt that is over; never waits and never throws. */
  put(record: AttemptRecord): void {
    const targets = this.#options.targetsOf(record.gateway)
    if (!targets?.length || record.trace?.sampled === false || this.#closed) return
    this.#inbox.push({ record, targets }, weightOf(record))
    this.#timer ??= setTimeout(() => this.#work(), this.#options.wait ?? 500)
  }

  /** For the metrics: spans that wait. */
  get waiting(): number {
    let count = this.#inbox.size
    for (const receiver of this.#receivers.values()) count += receiver.waiting
    return count
  }

  /** For the metrics: spans that were lost, because a queue was full or a receiver refused them. */
  get dropped(): number {
    let count = this.#inbox.dropped + this.#forgotten
    for (const receiver of this.#receivers.values()) count += receiver.dropped
    return count
  }

  /** Sends what waits. @param patience milliseconds for all of it */
  async close(patience = 5_000): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#making
    await this.#makeSpans()
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, patience)
    await Promise.all([...this.#receivers.values()].map(receiver => receiver.close(promise)))
    clearTimeout(timer)
  }

  #work(): void {
    this.#making = this.#makeSpans().finally(() => {
      this.#timer = undefined
      this.#making = undefined
      if (this.#inbox.size && !this.#closed) this.#timer = setTimeout(() => this.#work(), 0)
    })
  }

  async #makeSpans(): Promise<void> {
    for (let waiting = this.#inbox.take(AT_ONCE); waiting.length; waiting = this.#inbox.take(AT_ONCE)) {
      for (const one of waiting) await this.#make(one)
      if (!this.#closed) for (const receiver of this.#receivers.values()) receiver.send()
      await Bun.sleep(0)
    }
  }

  async #make({ record, targets }: Waiting): Promise<void> {
    const { readBodies = bodiesAsTheyCame, understand, log } = this.#options
    try {
      const trace = traceOf(record)
      if (!trace.sampled) return
      const withBodies = record.collectBodies && record.bodies !== undefined
      const texts = withBodies ? await readBodies(record) : {}
      const understood = (withBodies && understand?.(record, texts)) || {}
      const described = attributesOf(record, texts, understood)
      const span = spanOf(record, trace, described, this.#origin)
      const bytes = sizeOf(described.attributes)
      for (const target of targets) {
        const receiver = this.#receiverOf(target)
        if (receiver) receiver.put(span, bytes)
        else this.#forgotten++
      }
    } catch (error) {
      this.#forgotten++
      log.error({ error, id: record.id }, 'an attempt could not be made a span')
    }
  }

  /** @returns nothing where there are too many already, all with spans to send */
  #receiverOf(target: OtelTarget): Receiver | undefined {
    let key = this.#keys.get(target)
    if (key === undefined) {
      key = JSON.stringify(target)
      this.#keys.set(target, key)
    }
    const known = this.#receivers.get(key)
    if (known) return known
    if (this.#receivers.size >= MOST_RECEIVERS && !this.#forgetOldest()) return undefined
    const made = new Receiver(target, this.#options.log)
    this.#receivers.set(key, made)
    return made
  }

  /** Of those that have nothing to send, the one that was not used for longest. */
  #forgetOldest(): boolean {
    const [oldest] = [...this.#receivers].filter(([, { isIdle }]) => isIdle).sort(([, a], [, b]) => a.used - b.used)
    if (!oldest) return false
    this.#forgotten += oldest[1].dropped
    return this.#receivers.delete(oldest[0])
  }
}

function traceOf({ trace = {} }: AttemptRecord): Trace {
  const { traceId, spanId, parentSpanId, sampled = true } = trace
  if (traceId === undefined || spanId === undefined) return beginTrace(trace)
  return { traceId, spanId, sampled, ...(parentSpanId !== undefined && { parentSpanId }) }
}

/** The memory of a span, roughly: its texts. */
function sizeOf(attributes: SpanAttributes): number {
  let bytes = 500
  for (const value of Object.values(attributes)) bytes += typeof value === 'string' ? value.length + 40 : 40
  return bytes
}
