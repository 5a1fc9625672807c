import type { CreatePolicy, UpdatePolicy } from '../schemas/policy.ts'
import type { Database, Sql } from './database.ts'

/** A policy of a gateway as it is kept, or the draft of one. */
export interface StoredPolicy {
  id: string
  policy: CreatePolicy
  /** Not in force until it is committed. A policy and its draft have the same id. */
  draft: boolean
  /** Milliseconds since 1970. */
  created: number
  /** Milliseconds since 1970. */
  modified: number
}

export interface PolicyStore {
  /** Oldest first; a draft behind what it is to replace. */
  list(gateway: string): Promise<StoredPolicy[]>
  /** @returns nothing where the gateway has `most` of them already */
  add(gateway: string, policy: CreatePolicy, draft: boolean, most: number): Promise<StoredPolicy | undefined>
  /**
   * Changes members of a policy that is in force: in its draft, or, with `commit`, in the policy itself and in the draft
   * that it may have, which would take the change back otherwise.
   *
   * @param check is given what it is to become, and throws what is to be thrown if that cannot be
   * @returns what it has become; `draft` where there is nothing but a draft, nothing where there is neither
   */
  update(
    gateway: string,
    id: string,
    change: UpdatePolicy,
    commit: boolean,
    check: (policy: CreatePolicy) => void,
  ): Promise<StoredPolicy | 'draft' | undefined>
  /** Removes a policy and its draft. @returns whether there was one */
  remove(gateway: string, id: string): Promise<boolean>
  /**
   * Puts drafts in force.
   * @param check says what is wrong with one, which then stays a draft
   */
  commit(
    gateway: string,
    check: (policy: CreatePolicy) => string | undefined,
  ): Promise<{ committed: StoredPolicy[]; failed: { id: string; error: string }[] }>
  /** Removes all of a gateway's. */
  clear(gateway: string): Promise<void>
}

interface Row {
  id: string
  draft: number
  policy: string
  created: number
  modified: number
}

const policyOf = ({ id, draft, policy, created, modified }: Row): StoredPolicy => ({
  id,
  policy: JSON.parse(policy) as CreatePolicy,
  draft: draft === 1,
  created,
  modified,
})

const SELECT = 'SELECT id, draft, policy, created, modified FROM policies WHERE gateway = ?'

/** The table of policies: at most two rows for each, one in force and one that is a draft. */
export function policyStore(database: Database): PolicyStore {
  return {
    async list(gateway) {
      return (await database.all<Row>(`${SELECT} ORDER BY created, id, draft`, gateway)).map(policyOf)
    },
    add: (gateway, policy, draft, most) =>
      database.transaction(async sql => {
        const count = await sql.get<{ n: number }>(
          'SELECT COUNT(DISTINCT id) AS n FROM policies WHERE gateway = ?',
          gateway,
        )
        if (Number(count!.n) >= most) return undefined
        const now = Date.now()
        const stored = { id: Bun.randomUUIDv7(), policy, draft, created: now, modified: now }
        await put(sql, gateway, stored)
        return stored
      }),
    update: (gateway, id, change, commit, check) =>
      database.transaction(async sql => {
        const rows = (await sql.all<Row>(`${SELECT} AND id = ?`, gateway, id)).map(policyOf)
        const live = rows.find(({ draft }) => !draft)
        const draft = rows.find(row => row.draft)
        if (!live) return draft && 'draft'
        const changed = (from: StoredPolicy, asDraft: boolean): StoredPolicy => {
          const policy = { ...from.policy, ...change }
          check(policy)
          return { id, policy, draft: asDraft, created: live.created, modified: Date.now() }
        }
        const stored = commit ? changed(live, false) : changed(draft ?? live, true)
        await put(sql, gateway, stored)
        if (commit && draft) await put(sql, gateway, changed(draft, true))
        return stored
      }),
    async remove(gateway, id) {
      return (await database.run('DELETE FROM policies WHERE gateway = ? AND id = ?', gateway, id)) > 0
    },
    commit: (gateway, check) =>
      database.transaction(async sql => {
        const drafts = (await sql.all<Row>(`${SELECT} AND draft = 1 ORDER BY created, id`, gateway)).map(policyOf)
        const committed: StoredPolicy[] = []
        const failed: { id: string; error: string }[] = []
        for (const one of drafts) {
          const error = check(one.policy)
          if (error !== undefined) {
            failed.push({ id: one.id, error })
            continue
          }
          const stored = { ...one, draft: false, modified: Date.now() }
          await put(sql, gateway, stored)
          await sql.run('DELETE FROM policies WHERE gateway = ? AND id = ? AND draft = 1', gateway, one.id)
          committed.push(stored)
        }
        return { committed, failed }
      }),
    async clear(gateway) {
      await database.run('DELETE FROM policies WHERE gateway = ?', gateway)
    },
  }
}

const put = (sql: Sql, gateway: string, { id, policy, draft, created, modified }: StoredPolicy) =>
  sql.run(
    `INSERT INTO policies (gateway, id, draft, policy, created, modified) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (gateway, id, draft) DO UPDATE SET policy = excluded.policy, modified = excluded.modified`,
    gateway,
    id,
    draft ? 1 : 0,
    JSON.stringify(policy),
    created,
    modified,
  )
