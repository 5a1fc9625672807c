import type { AttemptRecord } from '../../telemetry/attempt-record.ts'
import type { Database, Sql, Value } from '../database.ts'
import { type BodyRow, type BodyRules, bodyRow } from './bodies.ts'
import type { Dictionary, Draft } from './dictionary.ts'
import { bytesOfUuid } from './ids.ts'
import { type Free, freeOf, kindText, NOT_FREE } from './kind.ts'
import { NO_METADATA } from './metadata-filter.ts'
import type { Keeping } from './options.ts'
import { ROW_COLUMNS, rowValues } from './row.ts'
import { type MetadataValues, Sums } from './sums.ts'
import type { Explained } from './types.ts'

const DAY_MS = 86_400_000
export const dayOf = (at: number): number => Math.floor(at / DAY_MS)

/** A record with all that can be made of it before the transaction. */
export interface Prepared {
  record: AttemptRecord
  /** Empty where there is to be no row. */
  id: Uint8Array
  said: string
  /** What did not go into the kind. */
  free?: Free
  document?: string
  body?: BodyRow
}

const NO_ID = new Uint8Array()

/** @returns nothing when the record makes no sense; a promise only where there are bodies to be packed */
export function prepare(
  record: AttemptRecord,
  dictionary: Dictionary,
  rules: BodyRules,
): Prepared | undefined | Promise<Prepared> {
  const id = record.collect ? bytesOfUuid(record.id) : NO_ID
  if (!id || !isSound(record)) return undefined
  const all = freeOf(record)
  let said = kindText(record, all)
  let free: Free | undefined
  if (dictionary.isFull(record.gateway) && !dictionary.knows(record.gateway, said)) {
    free = all
    said = kindText(record, NOT_FREE)
  }
  const prepared: Prepared = { record, id, said, free }
  // What is only counted has no row.
  if (!record.collect) return prepared
  if (record.metadata && Object.keys(record.metadata).length) prepared.document = JSON.stringify(record.metadata)
  return bodyRow(record, explainedBy(record), rules).then(body => {
    prepared.body = body
    return prepared
  })
}

function isSound({ at, duration, status, attempt, step = 0, gateway }: AttemptRecord): boolean {
  return (
    Number.isFinite(at) &&
    Number.isFinite(duration) &&
    Number.isInteger(status) &&
    Number.isInteger(attempt) &&
    Number.isInteger(step) &&
    gateway.length > 0
  )
}

/** The cost is told with its parts only beside what was decided. */
function explainedBy({ decisions: made, cost }: AttemptRecord): Explained | undefined {
  const decisions = typeof made === 'function' ? made() : made
  return decisions?.length ? { decisions, ...(cost && { cost }) } : undefined
}

export interface WriterParts {
  database: Database
  dictionary: Dictionary
  keeping: (gateway: string) => Keeping
  metadataKeys: readonly string[]
  metadataValues: MetadataValues
}

export interface Written {
  /** Rows that their gateways had no place for. */
  refused: number
  /** By gateway: its number, and how many rows it has now. */
  kept: Map<string, { id: number; count: number }>
}

/**
 * Writes records in one transaction: rows, bodies, and what they add to the sums. A batch that is there already is not
 * written again, since nobody knows what became of a transaction whose end was lost. Sums count whatever happened,
 * whether a row of it is kept or not.
 */
export async function write(batch: readonly Prepared[], parts: WriterParts): Promise<Written> {
  const { database, dictionary } = parts
  const { draft, written } = await database.transaction(
    async sql => {
      const [state] = await sql.all<{ seq: number; kinds: number; documents: number }>(
        'UPDATE record_state SET seq = seq + ? WHERE one = 1 RETURNING seq, kinds, documents',
        batch.length,
      )
      const draft = dictionary.draft(sql, { kinds: Number(state!.kinds), documents: Number(state!.documents) })
      const written = await writeWith(sql, draft, batch, Number(state!.seq) - batch.length, parts)
      return { draft, written }
    },
    { locks: 'own' },
  )
  draft.done()
  return written
}

async function writeWith(
  sql: Sql,
  draft: Draft,
  batch: readonly Prepared[],
  before: number,
  { database, keeping, metadataKeys, metadataValues }: WriterParts,
): Promise<Written> {
  const written: Written = { refused: 0, kept: new Map() }
  if (await isThere(sql, batch)) return written
  const sums = new Sums(metadataKeys, metadataValues)
  const rooms = new Map<number, number>()
  const counts = new Map<number, number>()
  const gateways = new Map<string, number>()
  const rows: Value[][] = []
  const bodies: Value[][] = []
  let seq = before
  for (const { record, id, said, free, document, body } of batch) {
    let gateway = gateways.get(record.gateway)
    if (gateway === undefined) {
      gateway = await draft.gateway(record.gateway)
      gateways.set(record.gateway, gateway)
    }
    const { kind, series } = draft.kind(gateway, said)
    sums.add(record, gateway, series)
    if (!record.collect) continue
    if (!rooms.has(gateway)) rooms.set(gateway, await roomIn(sql, gateway, keeping(record.gateway)))
    const count = (counts.get(gateway) ?? 0) + 1
    if (count > rooms.get(gateway)!) {
      written.refused++
      continue
    }
    counts.set(gateway, count)
    const metadata = document === undefined ? NO_METADATA : draft.document(gateway, document, dayOf(record.at))
    rows.push(rowValues(record, id, { seq: ++seq, gateway, kind, metadata }, free))
    if (body) bodies.push([seq, body.parts, body.packed ? 1 : 0, body.bytes])
  }
  const moved = await draft.write()
  if (moved.size) {
    const place = ROW_COLUMNS.indexOf('metadata')
    for (const row of rows) row[place] = moved.get(row[place] as number) ?? row[place]!
  }
  await sql.insert('records', ROW_COLUMNS, rows)
  await sql.insert('record_bodies', ['seq', 'parts', 'packed', 'bytes'], bodies)
  // In one order, so that two who write never wait for each other.
  for (const [name, id] of [...gateways].sort(([, a], [, b]) => a - b)) {
    const [now] = await sql.all<{ kept: number }>(
      'UPDATE record_gateways SET kept = kept + ? WHERE id = ? RETURNING kept',
      counts.get(id) ?? 0,
      id,
    )
    written.kept.set(name, { id, count: Number(now!.kept) })
  }
  await sums.write(sql, database.kind)
  return written
}

/** All or nothing of a batch is there, so that one row of it tells. */
async function isThere(sql: Sql, batch: readonly Prepared[]): Promise<boolean> {
  const kept = batch.find(({ record }) => record.collect)
  return kept !== undefined && (await sql.get('SELECT seq FROM records WHERE id = ?', kept.id)) !== undefined
}

/** How many more rows a gateway takes. */
async function roomIn(sql: Sql, gateway: number, { most, strategy }: Keeping): Promise<number> {
  if (strategy !== 'STOP_INSERTING' || most === undefined || most === null) return Number.POSITIVE_INFINITY
  const row = await sql.get<{ kept: number }>('SELECT kept FROM record_gateways WHERE id = ?', gateway)
  return most - Number(row?.kept ?? 0)
}
