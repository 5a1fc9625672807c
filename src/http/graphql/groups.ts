import { dollarsOf } from '../../costs/money.ts'
import type { Manager } from '../../gateway/manage.ts'
import { walk } from '../../storage/record-walk.ts'
import type { Dimension } from '../../storage/records/analytics.ts'
import type { RecordFilter, StoredRecord } from '../../storage/records/types.ts'
import { DAY, type DimensionName, dimension, HOUR, type Scalar, sumsOf, type Told } from './dimensions.ts'
import type { Asked } from './filter.ts'
import type { SumName } from './schema.ts'

/**
 * The groups of a dataset: out of the sums of hours where those tell what is asked, otherwise out of the logs themselves,
 * of which there may then be only so many.
 */

export interface Group {
  count: number
  sum: Record<SumName, number>
  dimensions: Partial<Record<DimensionName, Scalar>>
}

/** A question that would take too much; said to whoever asked. */
export class TooMuch extends Error {}

const MOST_ROWS = 100_000
const MOST_GROUPS = 50_000
/** Windows that do not begin and end with hours are counted by their logs up to this long. */
const SHORT = 7 * DAY

export interface GroupsQuery {
  asked: Asked
  /** What is selected of the dimensions. */
  names: readonly DimensionName[]
  /** Errors alone. */
  failed: boolean
}

export async function groupsOf(manager: Manager, query: GroupsQuery): Promise<Group[]> {
  const gateways = visible(manager, query.asked)
  if (gateways?.length === 0) return []
  const sheet = new Sheet(query.names)
  if (await isForLogs(manager, query, gateways)) await fromLogs(manager, query, gateways, sheet)
  else await fromSums(manager, query, gateways, sheet)
  return sheet.groups()
}

/** @returns nothing where that is all */
function visible({ caller }: Manager, { gateways }: Asked): readonly string[] | undefined {
  if (!caller.gateways) return gateways
  return gateways ? gateways.filter(id => caller.gateways!.has(id)) : [...caller.gateways]
}

async function isForLogs(manager: Manager, query: GroupsQuery, gateways: readonly string[] | undefined) {
  const { asked, names } = query
  const needed = [...names, ...asked.names]
  const untold = needed.filter(name => {
    const { of, step } = dimension(name)
    return !of && !step
  })
  if (untold.length || names.some(name => (dimension(name).step ?? HOUR) < HOUR)) return true
  const { from } = asked
  const to = Math.min(asked.to, Date.now())
  const isWhole = from % HOUR === 0 && (to % HOUR === 0 || asked.to >= Date.now())
  if (isWhole || to - from > SHORT) return false
  let rows = 0
  const { records } = manager.settings.live
  for (const gateway of gateways ?? (await recorded(manager)))
    rows += (await records.list(gateway, { filters: rowFilters(query), perPage: 1 })).total
  return rows <= MOST_ROWS
}

const recorded = async ({ settings }: Manager) => [...(await settings.live.records.counts()).keys()]

function rowFilters({ asked, failed }: GroupsQuery): RecordFilter[] {
  const filters: RecordFilter[] = [{ key: 'created_at', operator: 'gt', value: [asked.from - 1] }]
  if (Number.isFinite(asked.to)) filters.push({ key: 'created_at', operator: 'lt', value: [asked.to] })
  if (failed) filters.push({ key: 'success', operator: 'eq', value: [false] })
  return filters
}

async function fromLogs(manager: Manager, query: GroupsQuery, gateways: readonly string[] | undefined, sheet: Sheet) {
  const { records } = manager.settings.live
  const filters = rowFilters(query)
  let rows = 0
  for (const gateway of gateways ?? (await recorded(manager)))
    for await (const page of walk(records, gateway, { filters })) {
      rows += page.length
      if (rows > MOST_ROWS)
        throw new TooMuch(
          `more than ${MOST_ROWS} logs: ask for a shorter time, or for whole hours by gateway, provider, model, token, statusCode and cached alone`,
        )
      for (const record of page) {
        const told = { at: record.at, sums: sumsOf(record), record }
        if (query.asked.test(told)) sheet.add(told, countsOf(record))
      }
    }
}

async function fromSums(manager: Manager, query: GroupsQuery, gateways: readonly string[] | undefined, sheet: Sheet) {
  const { asked, names, failed } = query
  const needed = [...new Set([...names, ...asked.names])]
  const by = [...new Set(needed.flatMap(name => dimension(name).of ?? []))]
  const points = await manager.settings.live.records.analytics.hours({
    from: asked.from,
    to: Math.min(asked.to, Date.now() + HOUR),
    ...(gateways && { gateways }),
    ...(needed.some(name => dimension(name).step) && { interval: HOUR }),
    by,
    ...(failed && { only: { success: [false] } }),
  })
  for (const point of points) {
    const sums: Partial<Record<Dimension, string | number | boolean | null>> = {}
    for (const [index, name] of by.entries()) sums[name] = point.by[index] ?? null
    const told = { at: point.at, sums }
    if (asked.coarse(told)) sheet.add(told, point)
  }
}

/** What is added up; money in picodollars. */
interface Counts {
  attempts: number
  errors: number
  cached: number
  tokensIn: number
  tokensOut: number
  tokensInFromCache: number
  tokensOutFromCache: number
  cost: bigint
}

function countsOf({ success, cached, tokensIn = 0, tokensOut = 0, cost = 0 }: StoredRecord): Counts {
  return {
    attempts: 1,
    errors: success ? 0 : 1,
    cached: cached ? 1 : 0,
    tokensIn,
    tokensOut,
    tokensInFromCache: cached ? tokensIn : 0,
    tokensOutFromCache: cached ? tokensOut : 0,
    cost: BigInt(cost),
  }
}

class Sheet {
  readonly #names: readonly DimensionName[]
  readonly #groups = new Map<string, { values: Scalar[]; counts: Counts }>()

  constructor(names: readonly DimensionName[]) {
    this.#names = names
  }

  add(told: Told, counts: Counts): void {
    const values = this.#names.map(name => dimension(name).value(told))
    const id = JSON.stringify(values)
    const known = this.#groups.get(id)
    if (!known) {
      if (this.#groups.size >= MOST_GROUPS)
        throw new TooMuch(`more than ${MOST_GROUPS} groups: ask for a shorter time or fewer dimensions`)
      this.#groups.set(id, { values, counts: { ...counts } })
      return
    }
    const sum = known.counts
    sum.attempts += counts.attempts
    sum.errors += counts.errors
    sum.cached += counts.cached
    sum.tokensIn += counts.tokensIn
    sum.tokensOut += counts.tokensOut
    sum.tokensInFromCache += counts.tokensInFromCache
    sum.tokensOutFromCache += counts.tokensOutFromCache
    sum.cost += counts.cost
  }

  groups(): Group[] {
    return [...this.#groups.values()].map(({ values, counts }) => ({
      count: counts.attempts,
      sum: {
        cachedRequests: counts.cached,
        erroredRequests: counts.errors,
        cachedTokensIn: counts.tokensInFromCache,
        cachedTokensOut: counts.tokensOutFromCache,
        uncachedTokensIn: counts.tokensIn - counts.tokensInFromCache,
        uncachedTokensOut: counts.tokensOut - counts.tokensOutFromCache,
        tokensIn: counts.tokensIn,
        tokensOut: counts.tokensOut,
        cost: dollarsOf(counts.cost),
      },
      dimensions: Object.fromEntries(this.#names.map((name, index) => [name, values[index] ?? null])),
    }))
  }
}
