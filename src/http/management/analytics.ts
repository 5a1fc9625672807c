import { dollarText } from '../../costs/money.ts'
import { demandManaged, type Manager } from '../../gateway/manage.ts'
import { AnalyticsQuery, type Metric } from '../../schemas/management/analytics.ts'
import {
  DIMENSIONS,
  type Dimension,
  type FineQuery,
  PERCENTILES,
  type Point,
  type Sums,
  type AnalyticsQuery as SumsQuery,
  TooManyPoints,
} from '../../storage/records/analytics.ts'
import type { RecordFilter } from '../../storage/records/types.ts'
import { type Window, windowIn } from './analytics-window.ts'
import { invalid, success } from './answers.ts'
import type { ManagementHandler } from './call.ts'
import { queryReader } from './input.ts'

/**
 * Sums, a series of them, and the first of a list. They come from the sums of whole hours, or, for what those do not tell,
 * from the logs of one gateway.
 */

const readQuery = queryReader(AnalyticsQuery)

const getAnalytics: ManagementHandler = ({ request, manager }) => report(request, manager, undefined)
const getGatewayAnalytics: ManagementHandler = ({ request, params, manager }) => {
  const { gateway = '' } = params
  demandManaged(manager, gateway)
  return report(request, manager, gateway)
}

export const analytics = { getAnalytics, getGatewayAnalytics }

type Value = Point['by'][number]

/** Where the points come from. */
interface Source {
  exact: boolean
  names: readonly string[]
  /** @param interval one point for all when left out @param only what the dimensions may be */
  points(interval: number | undefined, by: boolean, top?: readonly Point[]): Promise<Point[]>
}

async function report(request: Request, manager: Manager, gateway: string | undefined): Promise<Response> {
  const said = readQuery(request)
  const window = windowIn(said)
  const source = sourceOf(said, window, manager, gateway)
  try {
    const [totals] = await source.points(undefined, false)
    const series = await source.points(window.interval, false)
    const top = source.names.length ? await topOf(source, window, said) : []
    return success({
      from: new Date(window.from).toISOString(),
      to: new Date(window.to).toISOString(),
      interval: window.interval / 1_000,
      exact: source.exact,
      totals: shownOf(totals ?? NOTHING),
      series: series.map(pointOf),
      top,
    })
  } catch (thrown) {
    if (thrown instanceof TooManyPoints)
      throw invalid('query', { path: 'interval', message: `interval: ${thrown.message}` })
    throw thrown
  }
}

/** The first of the groups, each with its series. */
async function topOf(source: Source, { interval }: Window, { metric = 'requests', limit = 10 }: AnalyticsQuery) {
  const value = METRIC[metric]
  const groups = (await source.points(undefined, true))
    .sort((a, b) => Number(value(b)) - Number(value(a)))
    .slice(0, limit)
  const series = new Map<string, Point[]>()
  if (groups.length)
    for (const point of await source.points(interval, true, groups))
      series.getOrInsertComputed(JSON.stringify(point.by), () => []).push(point)
  return groups.map(group => ({
    by: Object.fromEntries(source.names.map((name, index) => [name, group.by[index] ?? null])),
    ...shownOf(group),
    ...(series.has(JSON.stringify(group.by)) && { series: series.get(JSON.stringify(group.by))!.map(pointOf) }),
  }))
}

const HOUR_MS = 3_600_000
/** What the sums of hours do not tell, with the store's name for it. */
const OF_ROWS: Record<string, FineQuery['by']> = { user_agent: 'userAgent', path: 'path', error: 'errorCode' }
const METADATA = 'metadata.'

function sourceOf(said: AnalyticsQuery, window: Window, manager: Manager, gateway: string | undefined): Source {
  const names = said.by ? said.by.split(',').map(name => name.trim()) : []
  const key = names.find(name => name.startsWith(METADATA))
  if (key !== undefined) return byMetadata(names, said, window, manager, gateway)
  if (window.interval < HOUR_MS || names.some(name => name in OF_ROWS))
    return fromLogs(names, said, window, manager, gateway)
  for (const name of names)
    if (!DIMENSIONS.includes(name as Dimension))
      throw refusedBy(
        `expected ${DIMENSIONS.join(', ')}, metadata.<key>, or ${Object.keys(OF_ROWS).join(', ')} of one gateway`,
      )
  return fromSums(names as Dimension[], said, window, manager, gateway)
}

function fromSums(
  names: readonly Dimension[],
  said: AnalyticsQuery,
  { from, to }: Window,
  manager: Manager,
  gateway: string | undefined,
): Source {
  const sums = manager.settings.live.records.analytics
  const only = onlyIn(said)
  const query: SumsQuery = { from, to, gateways: visibleTo(manager, gateway), only, percentiles: true }
  return {
    exact: false,
    names,
    async points(interval, by, top) {
      const narrowed = top ? { ...only } : only
      for (const [index, name] of (top ? names : []).entries())
        narrowed[name] = [...new Set(top!.map(group => group.by[index] ?? null))]
      const found = await sums.hours({
        ...query,
        only: narrowed,
        ...(interval && { interval }),
        ...(by && { by: names }),
      })
      return top ? among(top, found) : found
    },
  }
}

const among = (top: readonly Point[], points: readonly Point[]): Point[] => {
  const wanted = new Set(top.map(({ by }) => JSON.stringify(by)))
  return points.filter(({ by }) => wanted.has(JSON.stringify(by)))
}

function byMetadata(
  names: readonly string[],
  said: AnalyticsQuery,
  window: Window,
  manager: Manager,
  gateway: string | undefined,
): Source {
  const { config, live } = manager.settings
  const [name] = names
  const key = name!.slice(METADATA.length)
  if (names.length > 1) throw refusedBy('metadata stands alone')
  if (!config.storage.log_metadata_keys.includes(key))
    throw refusedBy('this key is not counted: name it under storage.log_metadata_keys in the configuration')
  if (Object.keys(onlyIn(said)).some(dimension => dimension !== 'gateway'))
    throw refusedBy('of what is narrowed by more than the gateway, metadata is not counted')
  const all = fromSums([], said, window, manager, gateway)
  const gateways = visibleTo(manager, gateway)
  const asked = said.gateway?.split(',')
  const among = asked ? (gateways ?? [...manager.settings.gateways.keys()]).filter(id => asked.includes(id)) : gateways
  return {
    exact: false,
    names,
    points: async (interval, by) => {
      if (!by) return all.points(interval, false)
      return interval ? [] : live.records.analytics.metadata({ from: window.from, to: window.to, gateways: among, key })
    },
  }
}

const FINE: Record<string, FineQuery['by']> = {
  provider: 'provider',
  model: 'model',
  token: 'token',
  status: 'status',
  cached: 'cached',
  ...OF_ROWS,
}
/** So long that all lies in one point. */
const ALL = 2 ** 52

function fromLogs(
  names: readonly string[],
  said: AnalyticsQuery,
  { from, to }: Window,
  manager: Manager,
  gateway: string | undefined,
): Source {
  if (gateway === undefined)
    throw invalid('query', {
      path: 'interval',
      message: `interval: intervals below an hour, and by=${Object.keys(OF_ROWS).join('|')}, are told of one gateway at a time, under /gateways/{gateway}/analytics`,
    })
  const [name] = names
  const by = name === undefined ? undefined : FINE[name]
  if (names.length > 1 || (name !== undefined && !by))
    throw refusedBy(`below an hour, expected one of ${Object.keys(FINE).join(', ')}`)
  const query = { gateway, from, to, filters: rowFilters(said) }
  const rows = manager.settings.live.records.analytics
  return {
    exact: true,
    names,
    async points(interval = ALL, grouped, top) {
      const found = await rows.fine({ ...query, interval, ...(grouped && by && { by }) })
      return top ? among(top, found) : found
    },
  }
}

/** The gateways that the caller may see; nothing where that is all, those that are no more among them. */
function visibleTo({ caller }: Manager, gateway: string | undefined): readonly string[] | undefined {
  if (gateway !== undefined) return [gateway]
  return caller.gateways ? [...caller.gateways] : undefined
}

function onlyIn(said: AnalyticsQuery): Partial<Record<Dimension, readonly Value[]>> {
  const only: Partial<Record<Dimension, readonly Value[]>> = {}
  for (const name of ['gateway', 'provider', 'model', 'token'] as const)
    if (said[name] !== undefined) only[name] = said[name].split(',').map(value => value || null)
  const statuses = statusesIn(said)
  if (statuses) only.status = statuses
  for (const name of ['cached', 'success'] as const) if (said[name] !== undefined) only[name] = [said[name]]
  return only
}

function statusesIn({ status }: AnalyticsQuery): number[] | undefined {
  if (status === undefined) return undefined
  const codes = status.split(',').map(Number)
  if (codes.every(Number.isInteger)) return codes
  throw invalid('query', { path: 'status', message: 'status: expected status codes' })
}

function rowFilters(said: AnalyticsQuery): RecordFilter[] {
  const filters: RecordFilter[] = []
  for (const name of ['provider', 'model', 'token'] as const)
    if (said[name] !== undefined) filters.push({ key: name, operator: 'eq', value: said[name].split(',') })
  const status = statusesIn(said)
  if (status) filters.push({ key: 'status_code', operator: 'eq', value: status })
  for (const key of ['cached', 'success'] as const)
    if (said[key] !== undefined) filters.push({ key, operator: 'eq', value: [said[key]] })
  return filters
}

const METRIC: Record<Metric, (sums: Sums) => number | bigint> = {
  requests: ({ requests }) => requests,
  attempts: ({ attempts }) => attempts,
  errors: ({ errors }) => errors,
  cached: ({ cached }) => cached,
  tokens: ({ tokensIn, tokensOut }) => tokensIn + tokensOut,
  tokens_in: ({ tokensIn }) => tokensIn,
  tokens_out: ({ tokensOut }) => tokensOut,
  cost: ({ cost }) => cost,
  latency: ({ duration }) => duration ?? 0,
}

const NOTHING: Sums = {
  requests: 0,
  attempts: 0,
  errors: 0,
  cached: 0,
  tokensIn: 0,
  tokensOut: 0,
  tokensCached: 0,
  tokensInFromCache: 0,
  tokensOutFromCache: 0,
  cost: 0n,
}

const pointOf = (point: Point) => ({ at: new Date(point.at).toISOString(), ...shownOf(point) })

function shownOf(sums: Sums): Record<string, unknown> {
  const latency = timesOf(sums.duration, sums.percentiles?.duration)
  const firstByte = timesOf(sums.firstByte, sums.percentiles?.firstByte)
  return {
    requests: sums.requests,
    attempts: sums.attempts,
    errors: sums.errors,
    cached: sums.cached,
    tokens_in: sums.tokensIn,
    tokens_out: sums.tokensOut,
    tokens_cached: sums.tokensCached,
    tokens_in_from_cache: sums.tokensInFromCache,
    tokens_out_from_cache: sums.tokensOutFromCache,
    cost: exactly(dollarText(sums.cost)),
    ...(latency && { latency }),
    ...(firstByte && { first_byte: firstByte }),
  }
}

const rounded = (milliseconds: number) => Math.round(milliseconds * 10) / 10

function timesOf(average: number | undefined, percentiles: readonly (number | undefined)[] = []) {
  if (average === undefined) return undefined
  const times: Record<string, number> = { average: rounded(average) }
  for (const [index, part] of PERCENTILES.entries()) {
    const time = percentiles[index]
    if (time !== undefined) times[`p${part * 100}`] = rounded(time)
  }
  return times
}

/** A number that goes into JSON as it is written: sums may be longer than a double can hold. */
const exactly = (decimal: string): unknown => (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(decimal)

const refusedBy = (message: string) => invalid('query', { path: 'by', message: `by: ${message}` })
