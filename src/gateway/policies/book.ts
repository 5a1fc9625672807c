import type { FilePolicy } from '../../schemas/policy.ts'
import type { PolicyStore, StoredPolicy } from '../../storage/policies.ts'
import { Lately } from '../lately.ts'
import { compilePolicies, type WrittenPolicy, withId } from './compile.ts'
import type { PolicySet } from './policy-set.ts'

interface Compiled {
  /** Which rows it was made of. */
  from: string
  set: PolicySet | undefined
}

/** The policies of the gateways: those of the file, and beside them those of the store, which may come and go. */
export class PolicyBook {
  readonly #stored: Lately<PolicySet | undefined>
  /** The last set of each gateway that has stored policies, so that it is compiled again only after a change. */
  readonly #compiled = new Map<string, Compiled>()

  /** @param declared those of the file by gateway */
  constructor(declared: ReadonlyMap<string, readonly FilePolicy[]>, store: Pick<PolicyStore, 'list'>) {
    this.#stored = new Lately(async gateway => {
      const rows = (await store.list(gateway)).filter(({ draft }) => !draft)
      const from = JSON.stringify(rows.map(({ id, modified }) => [id, modified]))
      const known = this.#compiled.get(gateway)
      if (known?.from === from) return known.set
      const list = [...(declared.get(gateway) ?? []).map(withId), ...rows.map(writtenOf)]
      const set = compilePolicies(list)
      const compiled = { from, set: set.policies.length ? set : undefined }
      // A gateway that the caller has made up has none, and is not remembered.
      if (list.length) this.#compiled.set(gateway, compiled)
      else this.#compiled.delete(gateway)
      return compiled.set
    })
  }

  /** Nothing for a gateway without any that is in force. Answers at once when it was asked lately; otherwise asks the store. */
  of(gateway: string): PolicySet | undefined | Promise<PolicySet | undefined> {
    return this.#stored.of(gateway)
  }
}

/** A policy of the store under its id. */
export const writtenOf = ({ id, policy }: StoredPolicy): WrittenPolicy => ({ id, ...policy })
