/** Where a database is, as the configuration says it. */
export type DatabaseAddress =
  /** `path` is `:memory:` for one that is gone with the process. */
  | { kind: 'sqlite'; path: string }
  /** `place` is the address without user, password and parameters, for messages. */
  | { kind: 'postgres'; url: string; place: string }

/**
 * Reads `storage.database`: `sqlite:<path>`, `sqlite::memory:` or `postgres://user:password@host/database`.
 * @returns nothing for anything else
 */
export function readAddress(database: string): DatabaseAddress | undefined {
  const path = /^sqlite:(?:\/\/(?=\/))?(.+)$/.exec(database)?.[1]
  if (path) return { kind: 'sqlite', path }
  if (!/^postgres(?:ql)?:\/\/./.test(database) || !URL.canParse(database)) return undefined
  const { host, pathname } = new URL(database)
  return { kind: 'postgres', url: database, place: `postgres://${host}${pathname === '/' ? '' : pathname}` }
}
