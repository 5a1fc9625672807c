import type { Config, Permission } from '../config/schema.ts'
import type { Store } from '../storage/store.ts'
import { hashToken } from '../storage/token-secret.ts'

/** Who calls: what is left of a token once it has been recognised. */
export interface Caller {
  name: string
  permissions: ReadonlySet<Permission>
  /** The gateways that the token opens; undefined for all. */
  gateways?: ReadonlySet<string>
}

interface Remembered {
  caller?: Caller
  /** Milliseconds since 1970. */
  until: number
}

/** How long an answer of the store holds: a token that is removed stops working, and a new one starts, within this time. */
const HOLD_MS = 2_000
/** So that guessing tokens cannot fill the memory. */
const MOST_REMEMBERED = 10_000

/**
 * The tokens of the file, and those of the store, which may come and go while the server runs. They are looked up by
 * their SHA-256, so that neither the time of a comparison nor the memory tells anything of them.
 */
export class TokenBook {
  readonly #declared = new Map<string, Caller>()
  readonly #remembered = new Map<string, Remembered>()
  readonly #store: Store

  constructor(config: Config, store: Store) {
    this.#store = store
    for (const { name, token, permissions, gateways } of config.tokens)
      this.#declared.set(hashToken(token), callerOf({ name, permissions, gateways }))
  }

  /** Answers at once for tokens of the file and for those asked for lately; otherwise asks the store. */
  find(token: string): Caller | undefined | Promise<Caller | undefined> {
    const hash = hashToken(token)
    const declared = this.#declared.get(hash)
    if (declared) return declared
    const remembered = this.#remembered.get(hash)
    return remembered && remembered.until > Date.now() ? remembered.caller : this.#ask(hash)
  }

  async #ask(hash: string): Promise<Caller | undefined> {
    const stored = await this.#store.tokens.findByHash(hash)
    const caller = stored && callerOf(stored)
    if (this.#remembered.size >= MOST_REMEMBERED) this.#remembered.clear()
    this.#remembered.set(hash, { until: Date.now() + HOLD_MS, ...(caller && { caller }) })
    return caller
  }
}

function callerOf(token: { name: string; permissions: readonly Permission[]; gateways?: readonly string[] }): Caller {
  const { name, permissions, gateways } = token
  return { name, permissions: new Set(permissions), ...(gateways && { gateways: new Set(gateways) }) }
}
