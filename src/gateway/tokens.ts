import type { Config, Permission } from '../config/schema.ts'
import type { Store } from '../storage/store.ts'
import { hashToken } from '../storage/token-secret.ts'
import { Lately } from './lately.ts'

/** Who calls: what is left of a token once it has been recognised. */
export interface Caller {
  name: string
  permissions: ReadonlySet<Permission>
  /** The gateways that the token opens; undefined for all. */
  gateways?: ReadonlySet<string>
}

/**
 * The tokens of the file, and those of the store, which may come and go while the server runs. They are looked up by
 * their SHA-256, so that neither the time of a comparison nor the memory tells anything of them.
 */
export class TokenBook {
  readonly #declared = new Map<string, Caller>()
  readonly #stored: Lately<Caller | undefined>

  constructor(config: Config, store: Store) {
    this.#stored = new Lately(async hash => {
      const stored = await store.tokens.findByHash(hash)
      return stored && callerOf(stored)
    })
    for (const { name, token, permissions, gateways } of config.tokens)
      this.#declared.set(hashToken(token), callerOf({ name, permissions, gateways }))
  }

  /** Answers at once for tokens of the file and for those asked for lately; otherwise asks the store. */
  find(token: string): Caller | undefined | Promise<Caller | undefined> {
    const hash = hashToken(token)
    return this.#declared.get(hash) ?? this.#stored.of(hash)
  }
}

function callerOf(token: { name: string; permissions: readonly Permission[]; gateways?: readonly string[] }): Caller {
  const { name, permissions, gateways } = token
  return { name, permissions: new Set(permissions), ...(gateways && { gateways: new Set(gateways) }) }
}
