import { type HealthSettings, usualHealth } from './health.ts'
import { type Pool, poolOf, type Strategy } from './pool.ts'

/** Gateways times providers, far beyond what anybody has; of more, the one that was longest not asked for is forgotten. */
const MOST_POOLS = 1_000

/** The pools of a process, with what is known of their members. */
export class Pools {
  readonly #pools = new Map<string, Pool>()
  readonly #settings: HealthSettings
  readonly #most: number

  constructor(settings: HealthSettings = usualHealth, most = MOST_POOLS) {
    this.#settings = settings
    this.#most = most
  }

  /**
   * The pool of a name. Where its members or its strategy have changed, those that stay keep what is known of them.
   * @param ids each once
   */
  of(name: string, ids: readonly string[], strategy: Strategy): Pool {
    const known = this.#pools.get(name)
    const pool =
      known && known.strategy === strategy && sameIds(known, ids) ? known : poolOf(ids, strategy, this.#settings, known)
    // What was last asked for stands last.
    if (known) this.#pools.delete(name)
    else if (this.#pools.size >= this.#most) this.#pools.delete(this.#pools.keys().next().value!)
    this.#pools.set(name, pool)
    return pool
  }

  get size(): number {
    return this.#pools.size
  }
}

function sameIds({ members }: Pool, ids: readonly string[]): boolean {
  if (members.length !== ids.length) return false
  for (let at = 0; at < ids.length; at++) if (members[at]!.id !== ids[at]) return false
  return true
}
