import type { CompiledPolicy } from './compile.ts'

/** Combinations of provider and model, which callers write, that are remembered. Beyond, all are forgotten. */
const MOST_REMEMBERED = 1_000
const LONGEST_REMEMBERED = 512

/** The policies that a request has to do with. */
export interface Concerned {
  readonly blocks: readonly CompiledPolicy[]
  readonly others: readonly CompiledPolicy[]
}

/** The compiled policies of one gateway. Their order is of no account. */
export class PolicySet {
  readonly #remembered = new Map<string, Concerned>()

  /** @param policies those that are in force */
  constructor(readonly policies: readonly CompiledPolicy[]) {}

  /** Those whose resource covers a model; with `except`, a block whose resource does not. */
  concerning(provider: string, model: string): Concerned {
    const key = `${provider} ${model}`
    const known = this.#remembered.get(key)
    if (known) return known
    const concerned = { blocks: [] as CompiledPolicy[], others: [] as CompiledPolicy[] }
    for (const policy of this.policies) {
      const { action } = policy
      const except = action.type === 'block' && action.except === true
      if (policy.resource.covers(provider, model) === except) continue
      ;(action.type === 'block' ? concerned.blocks : concerned.others).push(policy)
    }
    if (key.length > LONGEST_REMEMBERED) return concerned
    if (this.#remembered.size >= MOST_REMEMBERED) this.#remembered.clear()
    this.#remembered.set(key, concerned)
    return concerned
  }
}
