import type { Config } from '../config/schema.ts'
import type { GatewaySettings } from '../schemas/gateway.ts'
import type { AttemptRecord } from './attempt-record.ts'
import type { ReadBodies } from './delivery/bodies.ts'
import type { Logger } from './log.ts'
import { Logpush } from './logpush/index.ts'
import { Metrics } from './metrics/index.ts'
import { Traces, type TracesOptions } from './otel/index.ts'

export interface TelemetryParts {
  config: Config
  log: Logger
  /** Of this program. */
  version: string
  /** What is in force for a gateway now. */
  settingsOf(gateway: string): GatewaySettings | undefined
  /** How the bodies of a record are read and made safe, and what was said in them. */
  readBodies: ReadBodies
  understand: NonNullable<TracesOptions['understand']>
  /** The place of this process among the workers that share a port; left out where it is the only one. */
  worker?: number
}

/** Milliseconds for what is still to be sent at a stop; the supervisor waits five seconds in all. */
const PATIENCE_MS = 3_000

/** Everything that tells others of attempts that are over: metrics, traces and logpush. */
export class Telemetry {
  readonly metrics: Metrics
  readonly #traces: Traces
  readonly #logpush: Logpush
  readonly #queues = new Map<string, () => number>()
  readonly #lost = new Map<string, number>()

  private constructor(metrics: Metrics, traces: Traces, logpush: Logpush) {
    this.metrics = metrics
    this.#traces = traces
    this.#logpush = logpush
    this.#addQueues()
  }

  /** @throws when the folder of records on their way cannot be used */
  static async open({ config, log, version, settingsOf, worker, ...reading }: TelemetryParts): Promise<Telemetry> {
    const { readBodies, understand } = reading
    const logpush = await Logpush.open({
      spool: config.storage.spool,
      targets: config.logpush,
      settingsOf,
      log,
      readBodies,
      worker: worker ?? 0,
      workers: config.server.workers,
    }).catch((cause: unknown) => {
      const why = (cause as { code?: string }).code ?? 'unknown error'
      throw new Error(`the folder of records on their way, ${config.storage.spool} (storage.spool): ${why}`)
    })
    const traces = new Traces({
      log,
      version,
      targetsOf: gateway => settingsOf(gateway)?.otel,
      readBodies,
      understand,
    })
    return new Telemetry(new Metrics(worker === undefined ? {} : { worker }), traces, logpush)
  }

  /** Takes an attempt that is over; never waits and never throws. */
  put(record: AttemptRecord): void {
    this.metrics.put(record)
    this.#traces.put(record)
    this.#logpush.put(record)
  }

  /** Adds a queue of others whose length the metrics tell. */
  queue(name: string, length: () => number): void {
    this.#queues.set(name, length)
  }

  /** Counts what could not be kept elsewhere. @param what `records`, `cache` */
  lost(what: string, count: number): void {
    this.#lost.set(what, (this.#lost.get(what) ?? 0) + count)
  }

  /** Follows a configuration that was read again; receivers of traces follow by themselves. */
  reload(config: Config): void {
    void this.#logpush.follow(config.logpush)
  }

  /** Sends what waits, as far as there is time; what logpush could not send stays on disk. */
  async close(): Promise<void> {
    await Promise.all([this.#traces.close(PATIENCE_MS), this.#logpush.close(PATIENCE_MS)])
    this.metrics.close()
  }

  #addQueues(): void {
    const { metrics } = this
    metrics.gauge('postern_queue_waiting', 'What waits to be sent or written, by queue.', () => [
      [{ queue: 'traces' }, this.#traces.waiting],
      [{ queue: 'logpush' }, this.#logpush.waiting],
      ...[...this.#queues].map(([queue, length]) => [{ queue }, length()] as const),
    ])
    metrics.gauge('postern_logpush_spool_bytes', 'Bytes on disk of records on their way.', () => this.#logpush.spooled)
    metrics.counter('postern_dropped_total', 'What was lost since a queue or a store was full or failed.', () => [
      [{ queue: 'traces' }, this.#traces.dropped],
      [{ queue: 'logpush' }, this.#logpush.dropped],
      ...[...this.#lost].map(([queue, count]) => [{ queue }, count] as const),
    ])
  }
}
