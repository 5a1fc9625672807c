import type { MetricsFromWorker, MetricsToWorker } from '../telemetry/metrics/gather.ts'

/** What a worker tells its supervisor. */
export type FromWorker =
  | {
      type: 'ready'
      port: number
      workers: number
      /** Seconds that streams may go on after a stop. */
      drain: number
      json: boolean
      /** The configuration as JSON, kept for workers that start while the file is broken; never looked into. */
      configuration: string
    }
  | { type: 'configuration'; configuration: string; drain: number }
  /** Asks for the last configuration that was good. */
  | { type: 'last-good' }
  | MetricsFromWorker

/** What a supervisor tells its workers. Messages and not signals, because Windows has none. */
export type ToWorker =
  | { type: 'stop' }
  | { type: 'reload' }
  | { type: 'last-good'; configuration?: string }
  | MetricsToWorker
