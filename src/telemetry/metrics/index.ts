import type { AttemptRecord } from '../attempt-record.ts'
import { type Family, family } from './family.ts'
import { ProcessMetrics } from './process.ts'
import { count, SeriesBook } from './series.ts'
import { seriesFamilies } from './series-families.ts'

/** Cloudflare's numbers for what limits, budgets and credit refuse (contract 5 and 2.4). */
const LIMITS = new Set([2003, 2018, 2021, 2041])

/** A number, or one for each value of a label. */
export type Reading = number | readonly (readonly [labels: Record<string, string>, value: number])[]

export interface MetricsOptions {
  /** The place of this process among several; it becomes the label `worker` of every series. */
  worker?: number
}

/**
 * What a process counts for Prometheus. Every worker counts for itself, and its series have its number on them where there
 * are several: a worker that starts again begins at zero, which Prometheus understands of a series but not of a sum.
 */
export class Metrics {
  readonly #worker: string | undefined
  readonly #series = new SeriesBook()
  readonly #process = new ProcessMetrics()
  readonly #readings: { type: 'counter' | 'gauge'; name: string; help: string; read: () => Reading }[] = []

  constructor({ worker }: MetricsOptions = {}) {
    this.#worker = worker === undefined ? undefined : String(worker)
  }

  /** Counts an attempt that is over. Takes less than a microsecond. */
  put(record: AttemptRecord): void {
    const { status, duration, firstByte, firstWord, usage, cost, error } = record
    const place = this.#series.placeOf(record)
    const caller = this.#series.callerOf(place, record.token)
    const digit = (status / 100) | 0
    caller.requests[digit > 0 && digit < 6 ? digit : 5]!++
    place.duration.observe(duration)
    if (firstByte !== undefined) place.firstByte.observe(firstByte)
    if (firstWord !== undefined) place.firstWord.observe(firstWord)
    if (record.cached || record.cache === 'hit') place.hits++
    else if (record.cache === 'miss') place.misses++
    if (record.attempt > 1) place.retries++
    if (usage) {
      caller.input += usage.input
      caller.output += usage.output
      if (usage.cacheRead) caller.cacheRead += usage.cacheRead
      if (usage.cacheWrite) caller.cacheWrite += usage.cacheWrite
      if (usage.reasoning) caller.reasoning += usage.reasoning
    }
    if (cost) caller.pico += cost.pico
    if (error) {
      const code = this.#series.code(error.code)
      count(place.errors, code)
      if (error.number !== undefined && LIMITS.has(error.number)) count(caller.refusals, code)
    }
  }

  /** Adds a number that is read when somebody asks: the depth of a queue, requests in flight. */
  gauge(name: string, help: string, read: () => Reading): void {
    this.#readings.push({ type: 'gauge', name, help, read })
  }

  /** The same for a number that only grows; its name ends in `_total`. */
  counter(name: string, help: string, read: () => Reading): void {
    this.#readings.push({ type: 'counter', name, help, read })
  }

  /** Everything as it stands, as plain data. */
  snapshot(): Family[] {
    const families = [...seriesFamilies(this.#series.places), ...this.#readings.map(read), ...this.#process.families()]
    const worker = this.#worker
    if (worker !== undefined)
      for (const { values } of families) for (const sample of values) sample.labels = { ...sample.labels, worker }
    return families
  }

  close(): void {
    this.#process.close()
  }
}

function read({
  type,
  name,
  help,
  read,
}: {
  type: 'counter' | 'gauge'
  name: string
  help: string
  read: () => Reading
}): Family {
  const made = family(type, name, help)
  const reading = read()
  if (typeof reading === 'number') made.values.push({ labels: {}, value: reading })
  else for (const [labels, value] of reading) made.values.push({ labels, value })
  return made
}
