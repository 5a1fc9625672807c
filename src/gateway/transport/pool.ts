import type { Connection } from './connection.ts'

/** The open connections to one server that nobody uses, the latest last. */
export interface Pool {
  idle: Connection[]
}

/** More than that are closed when their answer is through; how many are in use is nobody's concern here. */
const MOST_IDLE = 256
const SWEEP_MS = 5_000

const inUse = new Set<Pool>()
let sweeper: ReturnType<typeof setInterval> | undefined

/** The connection that was used last, for it is the least likely to have been closed by the server. */
export function takeIdle(pool: Pool): Connection | undefined {
  const connection = pool.idle.pop()
  if (!connection || connection.idleUntil > performance.now()) return connection
  // The rest has been idle for longer still, but for servers that changed their mind; the sweeper sees to it.
  connection.close()
  return undefined
}

export const hasRoom = (pool: Pool): boolean => pool.idle.length < MOST_IDLE

/** Keeps a connection for so many seconds. */
export function keepIdle(pool: Pool, connection: Connection, seconds: number): void {
  connection.idleUntil = performance.now() + seconds * 1000
  pool.idle.push(connection)
  inUse.add(pool)
  if (!sweeper) {
    sweeper = setInterval(sweep, SWEEP_MS)
    sweeper.unref()
  }
}

/** A connection that was closed while it was idle. */
export function forget(pool: Pool, connection: Connection): void {
  const at = pool.idle.indexOf(connection)
  if (at >= 0) pool.idle.splice(at, 1)
}

/** Closes all that is idle: for a clean stop. */
export function closeIdle(): void {
  sweep(Number.POSITIVE_INFINITY)
}

function sweep(now = performance.now()): void {
  for (const pool of inUse) {
    const idle = pool.idle
    pool.idle = idle.filter(connection => connection.idleUntil > now)
    for (const connection of idle) if (connection.idleUntil <= now) connection.close()
    if (!pool.idle.length) inUse.delete(pool)
  }
  if (inUse.size) return
  clearInterval(sweeper)
  sweeper = undefined
}
