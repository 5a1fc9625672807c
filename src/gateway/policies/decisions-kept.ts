import type { Decision } from './decide.ts'
import type { Facts, Identity } from './facts.ts'

/** Callers, providers and models together, of which callers write some. Beyond, all are forgotten. */
const MOST_KEPT = 10_000
const LONGEST_MODEL = 512

/** What was decided, by caller, provider and model. A caller that is gone takes its decisions along. */
export class DecisionsKept {
  #byCaller = new WeakMap<Identity, Map<string, Map<string | undefined, Decision>>>()
  #count = 0

  of({ cf, provider, model }: Facts): Decision | undefined {
    return this.#byCaller.get(cf)?.get(provider)?.get(model)
  }

  keep({ cf, provider, model }: Facts, decision: Decision): void {
    if (model !== undefined && model.length > LONGEST_MODEL) return
    if (++this.#count > MOST_KEPT) {
      this.#byCaller = new WeakMap()
      this.#count = 1
    }
    let byProvider = this.#byCaller.get(cf)
    if (!byProvider) {
      byProvider = new Map()
      this.#byCaller.set(cf, byProvider)
    }
    let byModel = byProvider.get(provider)
    if (!byModel) {
      byModel = new Map()
      byProvider.set(provider, byModel)
    }
    byModel.set(model, decision)
  }
}
