import type { Database, Sql } from '../database.ts'
import { type Block, blocksOf, blockWith, lockGateway, sealedOf, takeOut, touchTail } from './blocks.ts'
import { breath, isOneOf } from './statements.ts'
import { removeBodies } from './stored-bodies.ts'

/** Rows that one transaction takes away. */
const STEP = 128

/**
 * Takes rows away with their bodies, in steps that each leave everything in order.
 * @param seqs their numbers
 * @param thorough whether bodies go at once where others of their pack stay
 * @returns how many there were
 */
export async function removeRows(
  database: Database,
  gateway: number,
  seqs: readonly number[],
  thorough: boolean,
): Promise<number> {
  let removed = 0
  // Neighbours stand in one block, whose columns are then written less often.
  const sorted = seqs.toSorted((a, b) => a - b)
  for (let from = 0; from < sorted.length; from += STEP) {
    if (from) await breath()
    const step = sorted.slice(from, from + STEP)
    removed += await database.transaction(
      async sql => {
        const { sealed } = await lockGateway(sql, gateway)
        if (step.at(-1)! > sealed) await touchTail(sql, gateway)
        const removed = await removeStep(sql, gateway, step)
        // A pack that the next step goes on with is rewritten then.
        const next = sorted[from + STEP] ?? Number.POSITIVE_INFINITY
        await removeBodies(sql, gateway, step, ({ last }) => thorough && next > last)
        return removed
      },
      { locks: 'own' },
    )
  }
  return removed
}

async function removeStep(sql: Sql, gateway: number, seqs: readonly number[]): Promise<number> {
  const list = isOneOf(seqs)
  const removed = await sql.run(`DELETE FROM records WHERE seq ${list.text} AND gateway = ?`, ...list.values, gateway)
  let block: Block | undefined
  const gone = new Map<Block, Set<number>>()
  for (const seq of seqs) {
    if (!block || seq < block.first || seq > block.last) block = await blockWith(sql, gateway, seq)
    if (block) gone.getOrInsertComputed(block, () => new Set()).add(seq)
  }
  for (const [block, numbers] of gone) await takeOut(sql, gateway, block, numbers)
  if (removed) await sql.run('UPDATE record_gateways SET kept = kept - ? WHERE id = ?', removed, gateway)
  return removed
}

/** Takes away the oldest rows of a gateway until it has no more than so many. @returns how many are gone */
export async function removeOldest(database: Database, gateway: number, most: number): Promise<number> {
  let removed = 0
  for (;;) {
    const row = await database.get<{ kept: number }>('SELECT kept FROM record_gateways WHERE id = ?', gateway)
    const over = Number(row?.kept ?? 0) - most
    if (over <= 0) return removed
    const oldest = await database.all<{ seq: number }>(
      'SELECT seq FROM records WHERE gateway = ? ORDER BY seq LIMIT ?',
      gateway,
      Math.min(over, STEP),
    )
    if (!oldest.length) return removed
    removed += await removeRows(
      database,
      gateway,
      oldest.map(({ seq }) => Number(seq)),
      false,
    )
    await breath()
  }
}

/**
 * Takes away the rows of a gateway that began before a time. Rows are written in the order in which they ended, so that
 * one that is old may stand behind one that is not: blocks say how far to look.
 * @returns how many are gone
 */
export async function removeBefore(database: Database, gateway: number, time: number): Promise<number> {
  let removed = 0
  const old = (await blocksOf(database, gateway)).filter(({ from }) => from < time)
  const ranges = old.map(({ first, last }) => [first, last] as const)
  for (const [first, last] of [
    ...ranges,
    [(await sealedOf(database, gateway)) + 1, Number.MAX_SAFE_INTEGER] as const,
  ]) {
    const rows = await database.all<{ seq: number }>(
      'SELECT seq FROM records WHERE gateway = ? AND seq >= ? AND seq <= ? AND at < ?',
      gateway,
      first,
      last,
      time,
    )
    if (!rows.length) continue
    removed += await removeRows(
      database,
      gateway,
      rows.map(({ seq }) => Number(seq)),
      false,
    )
    await breath()
  }
  return removed
}
