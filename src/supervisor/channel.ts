import type { MetricsToWorker } from '../telemetry/metrics/gather.ts'
import type { FromWorker, ToWorker } from './messages.ts'

/** A worker's end of the line to its supervisor. */
export interface Channel {
  tell(message: FromWorker): void
  onStop(act: () => void): void
  onReload(act: () => void): void
  onMetrics(act: (message: MetricsToWorker) => void): void
  /** The last configuration that a worker found good, as JSON. */
  lastGood(): Promise<string | undefined>
}

export function openChannel(): Channel {
  let stop = () => process.exit(0)
  let reload = () => {}
  let metrics: (message: MetricsToWorker) => void = () => {}
  const askers: ((configuration?: string) => void)[] = []
  process.on('message', message => {
    const told = message as ToWorker
    if (told.type === 'stop') stop()
    else if (told.type === 'reload') reload()
    else if (told.type === 'last-good') askers.shift()?.(told.configuration)
    else metrics(told)
  })
  // The supervisor is gone, perhaps killed: nobody could stop or replace this process any more.
  process.on('disconnect', () => stop())
  // A signal may reach the whole group of processes (Ctrl-C, systemd): stopping twice is stopping once.
  process.on('SIGTERM', () => stop())
  process.on('SIGINT', () => stop())
  process.on('SIGHUP', () => {})
  // It may have ended before this process listened for it.
  if (!process.connected) process.exit(0)
  return {
    tell: message => {
      try {
        process.send?.(message)
      } catch {
        // The supervisor is gone, which `disconnect` tells.
      }
    },
    onStop: act => {
      stop = act as () => never
    },
    onReload: act => {
      reload = act
    },
    onMetrics: act => {
      metrics = act
    },
    lastGood() {
      const answer = new Promise<string | undefined>(resolve => askers.push(resolve))
      process.send?.({ type: 'last-good' } satisfies FromWorker)
      return answer
    },
  }
}
