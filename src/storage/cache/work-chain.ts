import { type Outage, reasonOf } from './outage.ts'

/** One piece of work after the other, in the order asked for. */
export class WorkChain {
  readonly #outage: Outage
  #last: Promise<unknown> = Promise.resolve()

  constructor(outage: Outage) {
    this.#outage = outage
  }

  /** @throws what the work throws */
  add<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => {})
    return done
  }

  /** Work of which a failure concerns nobody but the operator. */
  async addQuietly(work: () => Promise<void>): Promise<void> {
    try {
      await this.add(work)
      this.#outage.worked()
    } catch (fault) {
      this.#outage.failed(reasonOf(fault))
    }
  }
}
