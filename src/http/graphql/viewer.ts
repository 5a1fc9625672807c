import { type FieldNode, GraphQLError, type GraphQLResolveInfo, Kind, type SelectionSetNode } from 'graphql'
import type { Manager } from '../../gateway/manage.ts'
import { TooManyPoints } from '../../storage/records/analytics.ts'
import { type DimensionName, dimension } from './dimensions.ts'
import { askedIn, type Filter, FilterFault } from './filter.ts'
import { type Group, groupsOf, TooMuch } from './groups.ts'
import { type DatasetName, datasets, type SumName } from './schema.ts'

/** What the fields of the schema come to. */

interface Arguments {
  limit: unknown
  filter?: Filter | null
  orderBy?: readonly string[] | null
}

/** For one query: so many datasets may be asked for in it. */
export interface Context {
  manager: Manager
  datasets: number
}

const MOST_DATASETS = 20
const MOST_GROUPS = 10_000

const refuse = (message: string, code = 'budget') => new GraphQLError(message, { extensions: { code } })

export const root = {
  viewer: {
    accounts({ filter }: { filter?: { accountTag?: string; accountTag_in?: string[] } | null }, { manager }: Context) {
      const { accounts } = manager.settings
      const asked = filter?.accountTag !== undefined ? [filter.accountTag] : (filter?.accountTag_in ?? [...accounts])
      if (!asked.every(account => accounts.has(account))) throw refuse('not authorized for that account', 'authz')
      return asked.map(accountOf)
    },
  },
}

const accountOf = (accountTag: string) => ({
  accountTag,
  ...Object.fromEntries(
    (Object.keys(datasets) as DatasetName[]).map(name => [
      name,
      (given: Arguments, context: Context, info: GraphQLResolveInfo) =>
        guarded(context, () => groups(name, given, context, info)),
    ]),
  ),
  aiGatewaySizeAdaptiveGroups: (given: Arguments, context: Context) => guarded(context, () => sizes(given, context)),
})

/** Faults of our own are told to the log alone. */
async function guarded<T>(context: Context, work: () => Promise<T>): Promise<T> {
  if (++context.datasets > MOST_DATASETS) throw refuse(`more than ${MOST_DATASETS} datasets in one query`)
  try {
    return await work()
  } catch (thrown) {
    if (thrown instanceof GraphQLError) throw thrown
    if (thrown instanceof FilterFault || thrown instanceof TooMuch || thrown instanceof TooManyPoints)
      throw refuse(thrown.message)
    context.manager.settings.log.error({ error: thrown }, 'a fault of our own, in a GraphQL query')
    throw refuse('a fault of the gateway itself; its log says more', 'internal')
  }
}

async function groups(
  name: DatasetName,
  { limit, filter, orderBy }: Arguments,
  context: Context,
  info: GraphQLResolveInfo,
) {
  const most = limitIn(limit)
  const known: readonly DimensionName[] = datasets[name].dimensions
  const names = known.filter(one => selected(info).has(one))
  const asked = askedIn(filter ?? undefined)
  const found = await groupsOf(context.manager, { asked, names, failed: name === 'aiGatewayErrorsAdaptiveGroups' })
  return sorted(found, orderBy ?? [], names).slice(0, most)
}

function limitIn(limit: unknown): number {
  const most = Number(limit)
  if (Number.isInteger(most) && most >= 1 && most <= MOST_GROUPS) return most
  throw refuse(`limit: expected an integer between 1 and ${MOST_GROUPS}`)
}

/** The dimensions that a query selects, whatever it calls them. */
function selected({ fieldNodes, fragments }: GraphQLResolveInfo): Set<string> {
  const names = new Set<string>()
  const fieldsOf = (set: SelectionSetNode | undefined): FieldNode[] =>
    (set?.selections ?? []).flatMap(selection => {
      if (selection.kind === Kind.FIELD) return [selection]
      return fieldsOf(
        selection.kind === Kind.FRAGMENT_SPREAD
          ? fragments[selection.name.value]?.selectionSet
          : selection.selectionSet,
      )
    })
  for (const { selectionSet } of fieldNodes)
    for (const field of fieldsOf(selectionSet))
      if (field.name.value === 'dimensions') for (const one of fieldsOf(field.selectionSet)) names.add(one.name.value)
  return names
}

/** Without an order by time where there is one, and by the count. */
function sorted(found: Group[], orderBy: readonly string[], names: readonly DimensionName[]): Group[] {
  const time = names.find(name => dimension(name).step)
  const orders = (orderBy.length ? orderBy : time ? [`${time}_ASC`] : ['count_DESC']).map(order => {
    const mark = order.lastIndexOf('_')
    const [name, sign] = [order.slice(0, mark), order.endsWith('DESC') ? -1 : 1]
    if (name === 'count') return { sign, value: ({ count }: Group) => count }
    if (name.startsWith('sum_')) return { sign, value: ({ sum }: Group) => sum[name.slice(4) as SumName] }
    if (!names.includes(name as DimensionName)) throw refuse(`orderBy: ${name} is not selected under dimensions`)
    return { sign, value: ({ dimensions }: Group) => dimensions[name as DimensionName] ?? '' }
  })
  return found.sort((a, b) => {
    for (const { sign, value } of orders) {
      const [one, other] = [value(a), value(b)]
      if (one !== other) return one < other ? -sign : sign
    }
    return 0
  })
}

async function sizes({ limit, filter, orderBy }: Arguments, { manager }: Context) {
  const most = limitIn(limit)
  const asked = askedIn(filter ?? undefined)
  const { gateways, live } = manager.settings
  const now = Date.now()
  const counts = await live.records.counts()
  const found = [...gateways]
    .filter(([id]) => !manager.caller.gateways || manager.caller.gateways.has(id))
    .filter(([id]) => asked.coarse({ at: now, sums: { gateway: id } }))
    .map(([gateway, settings]) => ({
      count: counts.get(gateway) ?? 0,
      max: { rows: counts.get(gateway) ?? 0 },
      dimensions: {
        gateway,
        date: dimension('date').value({ at: now, sums: {} }),
        datetime: dimension('datetime').value({ at: now, sums: {} }),
        logManagement: settings.log_management ?? 0,
        logManagementStrategy: settings.log_management_strategy ?? 'DELETE_OLDEST',
      },
    }))
  const [order = 'gateway_ASC'] = orderBy ?? []
  const sign = order.endsWith('DESC') ? -1 : 1
  const value = (one: (typeof found)[number]) => (order.startsWith('count') ? one.count : one.dimensions.gateway)
  return found.sort((a, b) => (value(a) < value(b) ? -sign : value(a) > value(b) ? sign : 0)).slice(0, most)
}
