import type { Config, Permission } from '../config/schema.ts'
import type { Store, StoredToken, TokenDetails } from '../storage/store.ts'
import { hashToken } from '../storage/token-secret.ts'
import { Lately } from './lately.ts'
import type { CallerLimits } from './limits/caller.ts'
import { type Claim, type Identity, identityOf } from './policies/facts.ts'

/** Who calls: what is left of a token once it has been recognised. */
export interface Caller {
  name: string
  permissions: ReadonlySet<Permission>
  /** The gateways that the token opens; undefined for all. */
  gateways?: ReadonlySet<string>
  limits?: CallerLimits
  /** What policies may know of it. */
  identity: Identity
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
      return stored && isInForce(stored) ? { ...callerOf(stored), ...withLimits(stored) } : undefined
    })
    for (const declared of config.tokens)
      this.#declared.set(hashToken(declared.token), { ...callerOf(declared), ...withLimits(declared) })
  }

  /** Answers at once for tokens of the file and for those asked for lately; otherwise asks the store. */
  find(token: string): Caller | undefined | Promise<Caller | undefined> {
    const hash = hashToken(token)
    return this.#declared.get(hash) ?? this.#stored.of(hash)
  }

  /** One of the store has changed: this process follows at once, others within two seconds. */
  forget(hash: string): void {
    this.#stored.forget(hash)
  }
}

function isInForce({ disabled, not_before = 0, expires = Number.POSITIVE_INFINITY }: StoredToken): boolean {
  const now = Date.now()
  return !disabled && not_before <= now && now < expires
}

function withLimits({ rate_limit, rate_limit_period, token_limit, budget, budget_period }: TokenDetails) {
  const seconds = rate_limit_period ?? MINUTE_S
  const limits: CallerLimits = {
    ...(rate_limit && { rate: { limit: rate_limit, seconds } }),
    ...(token_limit && { tokens: { limit: token_limit, seconds } }),
    ...(budget !== undefined && { budget: { amount: budget, period: budget_period ?? 'monthly' } }),
  }
  return Object.keys(limits).length ? { limits } : undefined
}

const MINUTE_S = 60

function callerOf(token: {
  name: string
  permissions: readonly Permission[]
  gateways?: readonly string[]
  groups?: readonly string[]
  claims?: Readonly<Record<string, Claim>>
}): Caller {
  const { name, permissions, gateways } = token
  return {
    name,
    permissions: new Set(permissions),
    ...(gateways && { gateways: new Set(gateways) }),
    identity: identityOf(token),
  }
}
