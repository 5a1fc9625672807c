import type { Database } from '../database.ts'
import { type Block, blocksOf, readColumns, sealedOf, tailOf } from './blocks.ts'
import { BLOCK, type Column, type Values } from './columns.ts'
import { type Plan, planOf, type Segment } from './filter.ts'
import { uuidOf } from './ids.ts'
import { taskOf } from './kind.ts'
import type { Kinds } from './kinds.ts'
import { TENTHS } from './row.ts'
import { breath } from './statements.ts'
import { Top } from './top.ts'
import type { Extent, MetaInfo, Order, Selection } from './types.ts'

/** Blocks that are read at once; a page of them takes about a millisecond. */
const AT_ONCE = 32
/** The tail is packed when it is as long as a block; when that is behind it may be longer. */
const LONGEST_TAIL = 64 * BLOCK

const COLUMN_ORDERS: Partial<Record<Order, Column>> = {
  created_at: 'at',
  cost: 'cost',
  tokens_in: 'tokens_in',
  tokens_out: 'tokens_out',
  duration: 'duration',
  feedback: 'feedback',
}

export interface Place {
  database: Database
  gateway: number
  kinds: Kinds
}

/**
 * Goes over all rows of a gateway that fit, in columns, oldest first within a segment and newest segments first.
 * @param passesOver whether a block need not be read
 */
export async function* segments(
  { database, gateway }: Place,
  plan: Plan,
  columns: ReadonlySet<Column>,
  passesOver?: (block: Block) => boolean,
): AsyncGenerator<{ segment: Segment; mask: Uint8Array }> {
  if (plan.empty) return
  const wanted = [...new Set([...columns, ...plan.columns])]
  const masked = async (segment: Segment) => {
    if (plan.texts) segment.texts = await textsOf(database, gateway, segment.seq)
    const mask = new Uint8Array(segment.seq.length).fill(1)
    for (const strike of plan.strikes) strike(segment, mask)
    return { segment, mask }
  }
  // What is packed while this goes on stands behind `sealed`, and is read once all the same.
  const sealed = await sealedOf(database, gateway)
  const tail = await tailOf(database, gateway, sealed, LONGEST_TAIL)
  if (tail.seq.length) yield masked(tail)
  const blocks = (await blocksOf(database, gateway)).filter(
    block => block.last <= sealed && block.to >= plan.from && block.from <= plan.to,
  )
  for (let end = blocks.length; end > 0; end -= AT_ONCE) {
    const page = blocks.slice(Math.max(0, end - AT_ONCE), end).filter(block => !passesOver?.(block))
    if (!page.length) continue
    for (const segment of (await readPage(database, gateway, page, wanted)).reverse()) yield masked(segment)
    await breath()
  }
}

/** Blocks that a filter on the time left out may stand between. */
async function readPage(database: Database, gateway: number, page: readonly Block[], wanted: readonly Column[]) {
  const firsts = new Set(page.map(({ first }) => first))
  const read = await readColumns(database, gateway, page[0]!.first, page.at(-1)!.first, wanted)
  return read.filter(({ seq }) => firsts.size === read.length || firsts.has(firstOf(page, seq[0]!)))
}

const firstOf = (page: readonly Block[], seq: number) =>
  page.find(({ first, last }) => first <= seq && seq <= last)?.first ?? -1

async function textsOf(database: Database, gateway: number, seq: Values) {
  const rows = await database.all<{ seq: number; id: Uint8Array; request: Uint8Array | null; event: string | null }>(
    'SELECT seq, id, request, event FROM records WHERE gateway = ? AND seq >= ? AND seq <= ? ORDER BY seq',
    gateway,
    seq[0]!,
    seq.at(-1)!,
  )
  const texts = new Map(
    rows.map(({ seq, id, request, event }) => [Number(seq), { id: uuidOf(id), event: event ?? uuidOf(request ?? id) }]),
  )
  return Array.from(seq, number => texts.get(number) ?? { id: '', event: '' })
}

export interface Found {
  /** The rows' numbers, in order. */
  seqs: number[]
  total: number
  metaInfo?: MetaInfo
}

/**
 * Finds the rows that fit, sorts them, and counts them.
 * @param from how many of the first are passed over
 * @param count how many are wanted behind them
 * @throws RecordQueryFault
 */
export async function find(
  place: Place,
  { filters = [], search, orderBy = 'created_at', direction = 'desc' }: Selection,
  from: number,
  count: number,
  metaInfo = false,
): Promise<Found> {
  const plan = await planOf(place.database, place.gateway, place.kinds, filters, search)
  const sorted = COLUMN_ORDERS[orderBy]
  const columns = new Set<Column>([sorted ?? 'kind'])
  const extents = metaInfo ? new Extents() : undefined
  for (const column of extents?.columns ?? []) columns.add(column)
  const sign = direction === 'desc' ? 1 : -1
  const rank = sorted ? undefined : ranksBy(place.kinds, orderBy)
  const top = new Top(from + count)
  let total = 0
  // Of all rows by their time, those in blocks that are too old only count.
  const passesOver = ({ kept, to }: Block) => {
    const isOver = to < top.least
    if (isOver) total += kept
    return isOver
  }
  const isPlain = plan.strikes.length === 0 && !extents && orderBy === 'created_at' && direction === 'desc'
  for await (const { segment, mask } of segments(place, plan, columns, isPlain ? passesOver : undefined)) {
    const { seq } = segment
    const values = sorted ? segment[sorted]! : segment.kind!
    // The newest stand last, and whoever wants them need not look long at what is older.
    for (let i = mask.length - 1; i >= 0; i--) {
      if (!mask[i]) continue
      total++
      const value = sign * ((rank ? rank[values[i]!] : values[i]) ?? Number.NaN)
      if (value < top.least) continue
      // What has no value comes last, whatever the direction.
      top.add(Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value, sign * seq[i]!)
    }
    extents?.add(segment, mask)
  }
  const seqs = top.between(from, from + count).map(Math.abs)
  return { seqs, total, ...(extents && { metaInfo: extents.told() }) }
}

function ranksBy(kinds: Kinds, order: Order): Float64Array {
  switch (order) {
    case 'provider':
      return kinds.ranks(kind => kind.provider)
    case 'model':
      return kinds.ranks(kind => kind.model)
    case 'model_type':
      return kinds.ranks(kind => taskOf(kind.path).modelType ?? null)
    case 'cached':
      return kinds.ranks(kind => kind.cached)
    default:
      return kinds.ranks(kind => kind.status < 400)
  }
}

/** The least and the most of the numbers. */
class Extents {
  readonly columns = ['cost', 'duration', 'tokens_in', 'tokens_out'] as const
  readonly #extents = { cost: none(), duration: none(), tokens_in: none(), tokens_out: none(), tokens: none() }

  add({ cost, duration, tokens_in, tokens_out }: Segment, mask: Uint8Array): void {
    const extents = this.#extents
    for (let i = 0; i < mask.length; i++) {
      if (!mask[i]) continue
      widen(extents.cost, cost![i]!)
      widen(extents.duration, duration![i]!)
      widen(extents.tokens_in, tokens_in![i]!)
      widen(extents.tokens_out, tokens_out![i]!)
      widen(extents.tokens, tokens_in![i]! + tokens_out![i]!)
    }
  }

  told(): MetaInfo {
    const { cost, duration, tokens_in, tokens_out, tokens } = this.#extents
    const told: MetaInfo = {}
    const put = (name: keyof MetaInfo, { min, max }: Extent, by = 1) => {
      if (min <= max) told[name] = { min: min / by, max: max / by }
    }
    put('cost', cost)
    put('duration', duration, TENTHS)
    put('tokensIn', tokens_in)
    put('tokensOut', tokens_out)
    put('tokens', tokens)
    return told
  }
}

const none = (): Extent => ({ min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY })

/** NaN is neither. */
function widen(extent: Extent, value: number): void {
  if (value < extent.min) extent.min = value
  if (value > extent.max) extent.max = value
}
