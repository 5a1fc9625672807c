/** One number of a metric. */
export interface Sample {
  labels: Record<string, string>
  value: number
  /** The name of its line where that is not the family's: `…_bucket`, `…_sum`, `…_count` of a histogram. */
  metricName?: string
}

/** A metric with all its numbers, as prom-client takes them to add up and to write down; plain data, for other processes. */
export interface Family {
  name: string
  help: string
  type: 'counter' | 'gauge' | 'histogram'
  /** How prom-client brings the numbers of several processes together where their labels are the same. */
  aggregator: 'sum'
  values: Sample[]
}

export const family = (type: Family['type'], name: string, help: string): Family => ({
  name,
  help,
  type,
  aggregator: 'sum',
  values: [],
})
