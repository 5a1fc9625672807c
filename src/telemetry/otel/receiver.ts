import type { Static } from '@sinclair/typebox'
import type { OtelReceiver } from '../../schemas/gateway.ts'
import { Backlog } from '../delivery/backlog.ts'
import { Outage, withoutSecrets } from '../delivery/outage.ts'
import { Pause, sleep } from '../delivery/pause.ts'
import { type Posted, post } from '../delivery/post.ts'
import type { Logger } from '../log.ts'
import type { Span } from './span.ts'

export type OtelTarget = Static<typeof OtelReceiver>

/** Spans of a batch, and the most that wait for a receiver that is down; the bytes are of their texts. */
const BATCH = 512
const BATCH_BYTES = 2_097_152
const MOST_WAITING = 8_192
const MOST_BYTES = 33_554_432
const TIMEOUT_MS = 10_000

const load = () => import('@opentelemetry/otlp-transformer')

/** One receiver of traces: what waits for it, and the one batch that is on its way. */
export class Receiver {
  readonly #target: OtelTarget
  readonly #log: Logger
  readonly #waiting = new Backlog<Span>(MOST_WAITING, MOST_BYTES)
  readonly #outage: Outage
  readonly #pause = new Pause()
  readonly #hurry = new AbortController()
  readonly #end = new AbortController()
  #sending: Promise<void> | undefined
  #refused = 0
  #rejected = false
  /** From `performance.now()`. */
  used = 0

  constructor(target: OtelTarget, log: Logger) {
    this.#target = target
    this.#log = log
    this.#outage = new Outage(log, { otel: withoutSecrets(target.url) })
  }

  get waiting(): number {
    return this.#waiting.size
  }

  get isIdle(): boolean {
    return !this.#sending && this.#waiting.size === 0
  }

  /** Spans that never arrived and never will. */
  get dropped(): number {
    return this.#waiting.dropped + this.#refused
  }

  put(span: Span, bytes: number): void {
    this.used = performance.now()
    this.#waiting.push(span, bytes)
  }

  /** Begins to send, unless it does already. */
  send(): void {
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined
      if (this.#waiting.size) this.send()
    })
  }

  /** Sends what waits, without pauses; what is not out by then stays unsent. */
  async close(deadline: Promise<void>): Promise<void> {
    this.#hurry.abort()
    await Promise.race([this.#sending, deadline])
    if (this.#waiting.size) this.send()
    await Promise.race([this.#sending, deadline])
    this.#end.abort()
    await this.#sending
  }

  async #sendAll(): Promise<void> {
    for (;;) {
      const spans = this.#waiting.take(BATCH, BATCH_BYTES)
      if (!spans.length || !(await this.#deliver(spans))) return
    }
  }

  /** @returns false when it is over, and the spans are lost */
  async #deliver(spans: Span[]): Promise<boolean> {
    const letter = await this.#letter(spans)
    if (!letter) return true
    for (;;) {
      const posted = await post({ ...letter, timeout: TIMEOUT_MS, signal: this.#end.signal })
      if (posted.kind === 'taken') {
        await this.#taken(posted)
        return true
      }
      this.#outage.failed(posted.reason)
      if (posted.kind === 'refused') {
        this.#refused += spans.length
        return true
      }
      // It is closing, and the receiver was just asked for the last time.
      if (this.#hurry.signal.aborted) {
        this.#refused += spans.length + this.#waiting.take(MOST_WAITING).length
        return false
      }
      await sleep(this.#pause.next(posted.after), this.#hurry.signal)
    }
  }

  /** @returns nothing for spans or headers that cannot be written; they are counted */
  async #letter(spans: Span[]) {
    const { url, headers, authorization, content_type } = this.#target
    const inProtobuf = content_type === 'protobuf'
    try {
      const { JsonTraceSerializer, ProtobufTraceSerializer } = await load()
      const sent = new Headers(headers)
      if (authorization !== undefined) sent.set('authorization', authorization)
      sent.set('content-type', inProtobuf ? 'application/x-protobuf' : 'application/json')
      const body = (inProtobuf ? ProtobufTraceSerializer : JsonTraceSerializer).serializeRequest(spans)
      return { url, headers: sent, body: new Uint8Array(body ?? []) }
    } catch {
      this.#refused += spans.length
      this.#outage.failed('its headers, or the spans, cannot be written')
      return undefined
    }
  }

  /** A receiver may take a batch and still refuse some of its spans; that is told once. */
  async #taken({ contentType, body }: Extract<Posted, { kind: 'taken' }>): Promise<void> {
    this.#outage.worked()
    this.#pause.over()
    if (!body.length) return
    const { JsonTraceSerializer, ProtobufTraceSerializer } = await load()
    try {
      const serializer = contentType.includes('protobuf') ? ProtobufTraceSerializer : JsonTraceSerializer
      const { rejectedSpans = 0 } = serializer.deserializeResponse(body).partialSuccess ?? {}
      if (!(Number(rejectedSpans) > 0)) return
      this.#refused += Number(rejectedSpans)
      if (!this.#rejected)
        this.#log.warn(
          { otel: withoutSecrets(this.#target.url), rejected: Number(rejectedSpans) },
          'receiver of traces refuses spans',
        )
      this.#rejected = true
    } catch {
      // Some receivers answer in words of their own; a status of 200 is answer enough.
    }
  }
}
