import { version } from '../../package.json' with { type: 'json' }
import { readBodies, understand } from '../gateway/recorded-texts.ts'
import { MetricsGatherer } from '../telemetry/metrics/gather.ts'
import { Telemetry, type TelemetryParts } from '../telemetry/telemetry.ts'
import type { Channel } from './channel.ts'

interface WorkerTelemetry extends Pick<TelemetryParts, 'config' | 'log' | 'settingsOf' | 'worker'> {
  channel: Channel
}

/** The telemetry of a worker, which tells the metrics of all of them. @throws as {@link Telemetry.open} does */
export async function openTelemetry({ channel, ...parts }: WorkerTelemetry) {
  const telemetry = await Telemetry.open({ ...parts, version, readBodies, understand })
  const gatherer = new MetricsGatherer(
    message => channel.tell(message),
    () => telemetry.metrics.snapshot(),
  )
  channel.onMetrics(message => gatherer.heard(message))
  return {
    /** For the app. */
    parts: { telemetry, collectMetrics: () => gatherer.all() },
    lost: (what: string, count: number) => telemetry.lost(what, count),
    close: () => telemetry.close(),
  }
}
