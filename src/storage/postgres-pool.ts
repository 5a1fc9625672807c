import type { ReservedSQL, SQL } from 'bun'
import type { Value } from './database.ts'
import { StorageError } from './errors.ts'
import { faultOf, LATE, PostgresFault } from './postgres-fault.ts'
import { numbered, toValues, valueFor } from './postgres-text.ts'

/** What an answer of the server holds beside the rows. */
export interface Answer extends Array<Record<string, unknown>> {
  affectedRows: number
  /** What it did: `COMMIT`, `ROLLBACK`, `SELECT`, … */
  command: string
}

/** Asks within a time: no server that is gone, and none that is too busy, is waited for without end. */
export interface Asker {
  /**
   * @param patience milliseconds
   * @throws PostgresFault
   */
  ask(statement: string, values: readonly Value[], patience: number): Promise<Answer>
}

/** A connection for one user alone. */
export interface OwnConnection extends Asker {
  /** Gives it back for others to use. */
  release(): void
  /** Ends it, because nobody knows what state it is in. */
  end(): void
}

export interface PostgresPool extends Asker {
  /** How many connections there may be. */
  readonly size: number
  /** @throws PostgresFault */
  reserve(patience: number): Promise<OwnConnection>
  /** As far as is known: from the last answer, or the last time that there was none. */
  isUp(): boolean
  /** Lets what was asked come to its end, for some seconds. */
  close(): Promise<void>
}

/** As many connections as a process opens; `?max=` of the address says otherwise. */
const CONNECTIONS = 6
const CONNECT_SECONDS = 5
/** Before the firewalls between forget a connection that says nothing. */
const IDLE_SECONDS = 120
const LIFETIME_SECONDS = 1_800
const CLOSE_SECONDS = 5
/** How often the server is asked for a sign of life, when nobody else asks. */
const PROBE_MS = 2_000
/** Long, because it waits behind what others asked. */
const PROBE_PATIENCE_MS = 10_000
/** What may wait for answers at once; beyond it the database cannot follow. */
const MOST_ASKED = 10_000

/** Bun's pool, and when it last heard from the server. */
interface Link {
  sql: SQL
  heard: number
}

/**
 * The connections to one PostgreSQL. They are opened when they are needed and again when they broke. Where the server
 * has said nothing to anybody since a statement whose time is over was asked, all of them are given up for new ones:
 * otherwise a machine that is gone without a word would be waited for as long as the system does, a quarter of an hour.
 *
 * @param place for messages
 * @throws StorageError when the address says what cannot be
 */
export function postgresPool(url: string, place: string): PostgresPool {
  const secrets = secretsOf(url)
  const open = (): Link => ({ sql: new Bun.SQL(withTls(url), settingsOf(url)), heard: performance.now() })
  let link: Link
  try {
    link = open()
  } catch (error) {
    throw new StorageError('configuration', faultOf(error, place, secrets).message)
  }
  let up = true
  let closed = false
  let asked = 0

  function failed(error: unknown): PostgresFault {
    const fault = faultOf(error, place, secrets)
    if (fault.isOutage) up = false
    return fault
  }

  function late(via: Link, since: number, patience: number): PostgresFault {
    if (via === link && via.heard < since && !closed) {
      link = open()
      void via.sql.close({ timeout: 0 }).catch(() => {})
    }
    return failed(new PostgresFault(place, LATE, `no answer within ${patience / 1_000} seconds`))
  }

  async function ask(
    via: Link,
    asker: SQL,
    statement: string,
    values: readonly Value[],
    patience: number,
  ): Promise<Answer> {
    if (asked >= MOST_ASKED) throw new PostgresFault(place, LATE, `${MOST_ASKED} statements wait for it already`)
    asked++
    const since = performance.now()
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    // Without values several statements may stand in one.
    const query = values.length ? asker.unsafe(numbered(statement), values.map(valueFor)) : asker.unsafe(statement)
    const timer = setTimeout(() => {
      query.cancel()
      reject(late(via, since, patience))
    }, patience)
    query.then(
      answer => {
        via.heard = performance.now()
        up = true
        if (answer.columns) toValues(answer, answer.columns)
        resolve(answer)
      },
      error => {
        const fault = failed(error)
        if (fault.isSaidByServer) via.heard = performance.now()
        reject(fault)
      },
    )
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      asked--
    }
  }

  let probing = false
  const probe = setInterval(async () => {
    if (probing || (up && performance.now() - link.heard < PROBE_MS)) return
    probing = true
    await ask(link, link.sql, 'SELECT 1', [], PROBE_PATIENCE_MS).catch(() => {})
    probing = false
  }, PROBE_MS)
  probe.unref()

  return {
    size: link.sql.options.max ?? CONNECTIONS,
    ask: (statement, values, patience) => ask(link, link.sql, statement, values, patience),
    async reserve(patience) {
      const via = link
      const since = performance.now()
      let connection: ReservedSQL
      try {
        connection = await via.sql.reserve({ signal: AbortSignal.timeout(patience) })
      } catch (error) {
        const timedOut = error instanceof Error && error.name === 'TimeoutError'
        throw timedOut ? late(via, since, patience) : failed(error)
      }
      return {
        ask: (statement, values, patience) => ask(via, connection, statement, values, patience),
        release: () => void connection.release(),
        end: () => void connection.close({ timeout: 0 }).catch(() => {}),
      }
    },
    isUp: () => up && !closed,
    async close() {
      if (closed) return
      closed = true
      clearInterval(probe)
      await link.sql.close({ timeout: CLOSE_SECONDS })
    },
  }
}

/** What the address itself says goes before all of it. */
function settingsOf(url: string): Bun.SQL.Options {
  const { pathname, searchParams } = new URL(url)
  return {
    adapter: 'postgres',
    // Or the variable PGDATABASE would go before the address.
    ...(pathname.length > 1 && { database: decodeURIComponent(pathname.slice(1)) }),
    ...(!searchParams.has('max') && { max: CONNECTIONS }),
    ...(!searchParams.has('connect_timeout') && { connectionTimeout: CONNECT_SECONDS }),
    ...(!searchParams.has('idle_timeout') && { idleTimeout: IDLE_SECONDS }),
    ...(!searchParams.has('max_lifetime') && { maxLifetime: LIFETIME_SECONDS }),
    ...(!searchParams.has('application_name') && { connection: { application_name: 'postern' } }),
  }
}

/** As PostgreSQL's own programs do: TLS where the server has it, unless the address says more or less. */
function withTls(url: string): string {
  const { searchParams } = new URL(url)
  if (process.env.PGSSLMODE || ['sslmode', 'ssl', 'tls'].some(name => searchParams.has(name))) return url
  return `${url}${url.includes('?') ? '&' : '?'}sslmode=prefer`
}

function secretsOf(url: string): string[] {
  const { password, searchParams } = new URL(url)
  const given = [password, searchParams.get('password') ?? '', searchParams.get('sslpassword') ?? '']
  return given.flatMap(text => [text, decoded(text)])
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
