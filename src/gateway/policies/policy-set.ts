import type { CompiledPolicy } from './compile.ts'
import { DecisionsKept } from './decisions-kept.ts'

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
  /** Whether what callers write in the metadata of a request may decide anything. */
  readonly usesMetadata: boolean
  readonly decisions = new DecisionsKept()

  /** @param policies those that are in force */
  constructor(readonly policies: readonly CompiledPolicy[]) {
    this.usesMetadata = policies.some(policy => policy.usesMetadata)
  }

  /**
   * Those whose resource covers a model; with `except`, a block whose resource does not. Of a model that is not known
   * every block holds that may be about it, and nothing else: a block is not to be evaded by saying it in other words.
   */
  concerning(provider: string, model: string | undefined): Concerned {
    const key = model === undefined ? provider : `${provider} ${model}`
    const known = this.#remembered.get(key)
    if (known) return known
    const concerned = { blocks: [] as CompiledPolicy[], others: [] as CompiledPolicy[] }
    for (const policy of this.policies) {
      const { action } = policy
      const except = action.type === 'block' && action.except === true
      const covered = policy.resource.covers(provider, model)
      if (covered === except) continue
      if (action.type === 'block') concerned.blocks.push(policy)
      else if (covered) concerned.others.push(policy)
    }
    if (key.length > LONGEST_REMEMBERED) return concerned
    if (this.#remembered.size >= MOST_REMEMBERED) this.#remembered.clear()
    this.#remembered.set(key, concerned)
    return concerned
  }
}
