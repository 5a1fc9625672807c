import type { CacheReports } from './answer-cache.ts'

/** Tells of a failure once, and once of its end. */
export class Outage {
  readonly #report: CacheReports['onFailure']
  #failing = false

  constructor(report: CacheReports['onFailure']) {
    this.#report = report
  }

  worked(): void {
    if (!this.#failing) return
    this.#failing = false
    this.#report?.(true, 'it works again')
  }

  failed(reason: string): void {
    if (this.#failing) return
    this.#failing = true
    this.#report?.(false, reason)
  }
}

/** What a fault says; faults of the stores name no secret. */
export const reasonOf = (fault: unknown): string => (fault instanceof Error ? fault.message : 'unknown error')
