import type { Sample } from './family.ts'

/** Upper bounds in seconds: from an answer out of the cache to a model that reasons for minutes. */
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 640]
const LABELS = [...BOUNDS.map(String), '+Inf']

/** Durations by size. Counts are kept apart for each bucket and added up only when somebody asks. */
export class Histogram {
  readonly #counts = new Float64Array(BOUNDS.length + 1)
  #sum = 0
  #count = 0

  /** @param milliseconds what is no duration (a clock that was set back) counts as none */
  observe(milliseconds: number): void {
    const seconds = milliseconds > 0 ? milliseconds / 1_000 : 0
    let at = 0
    while (at < BOUNDS.length && seconds > BOUNDS[at]!) at++
    this.#counts[at]!++
    this.#sum += seconds
    this.#count++
  }

  /** Adds the lines of a Prometheus histogram; none where nothing was ever observed. */
  write(name: string, labels: Record<string, string>, into: Sample[]): void {
    if (!this.#count) return
    let below = 0
    for (const [at, le] of LABELS.entries()) {
      below += this.#counts[at]!
      into.push({ metricName: `${name}_bucket`, labels: { ...labels, le }, value: below })
    }
    into.push({ metricName: `${name}_sum`, labels, value: this.#sum })
    into.push({ metricName: `${name}_count`, labels, value: this.#count })
  }
}
