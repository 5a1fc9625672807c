import type { AttemptRecord } from '../../telemetry/attempt-record.ts'
import type { Database, Sql, Value } from '../database.ts'
import { type BodyRules, packBodies } from './bodies.ts'
import type { Dictionary, Draft, KindNumbers } from './dictionary.ts'
import { NO_METADATA } from './metadata-filter.ts'
import type { Keeping } from './options.ts'
import { compressed, decompressed, onlyRows, type Pack } from './pack.ts'
import type { Packer } from './packer.ts'
import type { Prepared } from './prepare.ts'
import { addRow, METADATA_PLACE, ROW_COLUMNS } from './row.ts'
import { breath, insertValues } from './statements.ts'
import { insertPacks } from './stored-bodies.ts'
import { type MetadataValues, Sums } from './sums.ts'
import type { TailState, Tails } from './tails.ts'

const DAY_MS = 86_400_000
export const dayOf = (at: number): number => Math.floor(at / DAY_MS)

/** Bodies are made ready for so long before others have their turn. */
const PACKING_MS = 2

/** Rows that follow each other in one gateway have bodies in common, and numbers without gaps. */
export function byGateway(batch: readonly Prepared[]): readonly Prepared[] {
  const [first] = batch
  if (batch.every(({ record }) => record.gateway === first!.record.gateway)) return batch
  return [...Map.groupBy(batch, ({ record }) => record.gateway).values()].flat()
}

/**
 * The bodies of a batch, by gateway.
 * @param batch as {@link byGateway} gives it
 * @returns how many records have bodies that cannot be read, too
 */
export async function packsOf(
  batch: readonly Prepared[],
  packer: Packer,
  rules: BodyRules,
): Promise<{ packs: ReadonlyMap<string, readonly Pack[]>; lost: number }> {
  const packs = new Map<string, Pack[]>()
  let lost = 0
  packer.clear()
  let since = performance.now()
  let row = 0
  for (let i = 0; i < batch.length; i++) {
    const { record, explained } = batch[i]!
    if (record.collect) {
      try {
        packBodies(packer, row++, record, explained, rules)
      } catch {
        lost++
      }
    }
    const isLast = batch[i + 1]?.record.gateway !== record.gateway
    if (!packer.isEmpty && (isLast || packer.isFull))
      packs.getOrInsertComputed(record.gateway, () => []).push(await packer.finish())
    if (isLast) row = 0
    if (performance.now() - since > PACKING_MS) {
      await breath()
      since = performance.now()
    }
  }
  return { packs, lost }
}

export interface WriterParts {
  database: Database
  dictionary: Dictionary
  keeping: (gateway: string) => Keeping | undefined
  metadataKeys: readonly string[]
  metadataValues: MetadataValues
  tails: Tails
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
 * @param batch as {@link byGateway} gives it
 */
export async function write(
  batch: readonly Prepared[],
  packs: ReadonlyMap<string, readonly Pack[]>,
  parts: WriterParts,
): Promise<Written> {
  const { database, dictionary, tails } = parts
  const { draft, written, numbers, added, values } = await database.transaction(
    async sql => {
      const [state] = await sql.all<{ seq: number; kinds: number; documents: number }>(
        'UPDATE record_state SET seq = seq + ? WHERE one = 1 RETURNING seq, kinds, documents',
        batch.length,
      )
      const draft = dictionary.draft(sql, { kinds: Number(state!.kinds), documents: Number(state!.documents) })
      return { draft, ...(await writeWith(sql, draft, batch, packs, Number(state!.seq) - batch.length, parts)) }
    },
    { locks: 'own' },
  )
  draft.done()
  for (const { record, place, kind, series } of numbers) dictionary.recent.add(record, place, { kind, series })
  for (const { id, from, rows, now } of added) tails.add(id, values, from, rows, now)
  return written
}

/** Rows of one gateway. */
interface Added {
  id: number
  /** How many rows of the batch stand before them. */
  from: number
  rows: number
  now: TailState
}

interface Numbered extends KindNumbers {
  record: AttemptRecord
  /** The number of its gateway. */
  place: number
}

async function writeWith(
  sql: Sql,
  draft: Draft,
  batch: readonly Prepared[],
  packs: ReadonlyMap<string, readonly Pack[]>,
  before: number,
  { database, keeping, metadataKeys, metadataValues }: WriterParts,
): Promise<{ written: Written; numbers: Numbered[]; added: Added[]; values: Value[] }> {
  const written: Written = { refused: 0, kept: new Map() }
  const numbers: Numbered[] = []
  const added: Added[] = []
  const values: Value[] = []
  if (await isThere(sql, batch)) return { written, numbers, added, values }
  const sums = new Sums(metadataKeys, metadataValues)
  const gateways = new Map<string, { id: number; first: number; rows: number }>()
  const placed = { seq: before, gateway: 0, kind: 0, metadata: 0 }
  let gateway = { id: 0, first: 0, rows: 0 }
  let name: string | undefined
  let rules: Keeping | undefined
  let room = 0
  for (const { record, id, known, said, free, document } of batch) {
    if (record.gateway !== name) {
      name = record.gateway
      rules = keeping(name)
      if (rules) {
        gateway = { id: known?.place ?? (await draft.gateway(name)), first: placed.seq + 1, rows: 0 }
        gateways.set(name, gateway)
        room = await roomIn(sql, gateway.id, rules)
      }
    }
    if (!rules) continue
    const { kind, series } = known ?? draft.kind(gateway.id, said)
    if (!known && !free) numbers.push({ record, place: gateway.id, kind, series })
    sums.add(record, gateway.id, series)
    if (!record.collect) continue
    if (gateway.rows >= room) {
      written.refused++
      continue
    }
    gateway.rows++
    placed.seq++
    placed.gateway = gateway.id
    placed.kind = kind
    placed.metadata = document === undefined ? NO_METADATA : draft.document(gateway.id, document, dayOf(record.at))
    addRow(values, record, id, placed, free)
  }
  const moved = await draft.write()
  if (moved.size)
    for (let at = METADATA_PLACE; at < values.length; at += ROW_COLUMNS.length)
      values[at] = moved.get(values[at] as number) ?? values[at]!
  await insertValues(sql, database.kind, 'records', ROW_COLUMNS, values)
  for (const [of, some] of packs) {
    const place = gateways.get(of)
    if (!place) continue
    const kept = await within(some, place.rows)
    await insertPacks(
      sql,
      kept.map(pack => ({ ...pack, gateway: place.id, first: place.first })),
    )
  }
  // In one order, so that two who write never wait for each other.
  for (const [name, { id, first, rows }] of [...gateways].sort(([, a], [, b]) => a.id - b.id)) {
    const [now] = await sql.all<TailState & { kept: number }>(
      'UPDATE record_gateways SET kept = kept + ?, touched = touched + ? WHERE id = ? RETURNING kept, touched, sealed',
      rows,
      rows,
      id,
    )
    written.kept.set(name, { id, count: Number(now!.kept) })
    const state = { sealed: Number(now!.sealed), touched: Number(now!.touched) }
    added.push({ id, from: first - before - 1, rows, now: state })
  }
  await sums.write(sql, database.kind)
  return { written, numbers, added, values }
}

/** Packs without the rows for which there was no room, which are the last. */
async function within(packs: readonly Pack[], rows: number): Promise<Pack[]> {
  const kept: Pack[] = []
  for (const pack of packs) {
    if (pack.to < rows) kept.push(pack)
    else if (pack.from < rows) {
      const whole = onlyRows(await decompressed(pack.bytes), row => pack.from + row < rows)
      if (whole) kept.push({ from: pack.from, to: rows - 1, bytes: await compressed(whole) })
    }
  }
  return kept
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
