import type { FilePolicy } from '../../schemas/policy.ts'
import type { PolicyStore, StoredPolicy } from '../../storage/policies.ts'
import type { Logger } from '../../telemetry/log.ts'
import { Lately } from '../lately.ts'
import { type CompiledPolicy, compilePolicies, type WrittenPolicy, withId } from './compile.ts'
import type { PolicySet } from './policy-set.ts'

interface Compiled {
  /** Which rows it was made of. */
  from: string
  set: PolicySet | undefined
}

/** What goes on failing is told once in this time. */
const TOLD_MS = 60_000

/** The policies of the gateways: those of the file, and beside them those of the store, which may come and go. */
export class PolicyBook {
  readonly #declared: ReadonlyMap<string, readonly FilePolicy[]>
  readonly #store: Pick<PolicyStore, 'list'>
  readonly #log: Pick<Logger, 'error'>
  readonly #stored: Lately<PolicySet | undefined>
  /** Those who ask at the same time share one question to the store. */
  readonly #asking = new Map<string, Promise<PolicySet | undefined>>()
  /** The last set of each gateway that has policies, so that it is compiled again only after a change. */
  readonly #compiled = new Map<string, Compiled>()
  /** When the log was last told of one that could not be evaluated, in milliseconds since 1970. */
  readonly #told = new WeakMap<CompiledPolicy, number>()
  #unreadTold = 0

  /** @param declared those of the file by gateway */
  constructor(
    declared: ReadonlyMap<string, readonly FilePolicy[]>,
    store: Pick<PolicyStore, 'list'>,
    log: Pick<Logger, 'error'>,
  ) {
    this.#declared = declared
    this.#store = store
    this.#log = log
    this.#stored = new Lately(gateway => this.#ask(gateway))
  }

  /** Nothing for a gateway without any that is in force. Answers at once when it was asked lately; otherwise asks the store. */
  of(gateway: string): PolicySet | undefined | Promise<PolicySet | undefined> {
    return this.#stored.of(gateway)
  }

  /** Those of the store have changed: this process follows at once, others within two seconds. */
  forget(gateway: string): void {
    this.#asking.delete(gateway)
    this.#stored.forget(gateway)
  }

  /**
   * Tells the log of a policy that could not be evaluated and has opened, once a minute for each.
   * @param reason repeats nothing of a request
   */
  failed(gateway: string, policy: CompiledPolicy, reason: string): void {
    const now = Date.now()
    if (now - (this.#told.get(policy) ?? 0) < TOLD_MS) return
    this.#told.set(policy, now)
    this.#log.error({ gateway, policy: policy.id, reason }, 'a policy cannot be evaluated: it lets requests through')
  }

  #ask(gateway: string): Promise<PolicySet | undefined> {
    const asking = this.#asking.get(gateway)
    if (asking) return asking
    const asked = this.#read(gateway).finally(() => {
      if (this.#asking.get(gateway) === asked) this.#asking.delete(gateway)
    })
    this.#asking.set(gateway, asked)
    return asked
  }

  async #read(gateway: string): Promise<PolicySet | undefined> {
    const known = this.#compiled.get(gateway)
    try {
      const rows = (await this.#store.list(gateway)).filter(({ draft }) => !draft)
      return this.#compile(gateway, rows)
    } catch (error) {
      // Like a policy that cannot be evaluated, one that cannot be read does not close the gateway (contract 5.3).
      const now = Date.now()
      if (now - this.#unreadTold >= TOLD_MS)
        this.#log.error({ error, gateway }, 'policies cannot be read: the last known hold')
      this.#unreadTold = now
      return known ? known.set : this.#compile(gateway, [])
    }
  }

  #compile(gateway: string, rows: readonly StoredPolicy[]): PolicySet | undefined {
    const from = JSON.stringify(rows.map(({ id, modified }) => [id, modified]))
    const known = this.#compiled.get(gateway)
    if (known?.from === from) return known.set
    const list = [...(this.#declared.get(gateway) ?? []).map(withId), ...rows.map(writtenOf)]
    const set = compilePolicies(list)
    const compiled = { from, set: set.policies.length ? set : undefined }
    // A gateway that has none is not remembered.
    if (list.length) this.#compiled.set(gateway, compiled)
    else this.#compiled.delete(gateway)
    return compiled.set
  }
}

/** A policy of the store under its id. */
export const writtenOf = ({ id, policy }: StoredPolicy): WrittenPolicy => ({ id, ...policy })
