import type { OpenMetricsContentType } from 'prom-client'
import type { Family } from './family.ts'

const TOTAL = /_total$/

export interface Exposition {
  text: string
  contentType: string
}

/**
 * Writes metrics down for Prometheus. Numbers of several processes with the same labels are added up.
 * @param snapshots one of each process
 * @param openMetrics in the newer of the two formats; its reader has asked for it
 */
export async function exposition(snapshots: readonly Family[][], openMetrics: boolean): Promise<Exposition> {
  // Only who is scraped needs it.
  const { AggregatorRegistry, Registry } = await import('prom-client')
  if (!openMetrics) {
    const registry = AggregatorRegistry.aggregate([...snapshots])
    return { text: await registry.metrics(), contentType: registry.contentType }
  }
  // There the name of a counter has no `_total`, only its lines have, and prom-client adds it to what it is given.
  const renamed = snapshots.map(families =>
    families.map(one => (one.type === 'counter' ? { ...one, name: one.name.replace(TOTAL, '') } : one)),
  )
  const registry = AggregatorRegistry.aggregate<OpenMetricsContentType>(renamed)
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
  return { text: await registry.metrics(), contentType: registry.contentType }
}
