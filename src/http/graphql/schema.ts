import { type DimensionName, dimension, dimensionNames } from './dimensions.ts'

/** The schema, in the names that Cloudflare's has, so that queries written for it fit (contract 9.2). */

export const SUMS = [
  'cachedRequests',
  'erroredRequests',
  'cachedTokensIn',
  'cachedTokensOut',
  'uncachedTokensIn',
  'uncachedTokensOut',
  'tokensIn',
  'tokensOut',
  'cost',
] as const
export type SumName = (typeof SUMS)[number]

interface Dataset {
  dimensions: readonly DimensionName[]
  /** What the groups have beside their count and dimensions, as lines of their type. */
  more: string
  orders: readonly string[]
}

const SIZE_DIMENSIONS: readonly DimensionName[] = ['date', 'datetime', 'gateway']
const withoutCache = dimensionNames.filter(name => name !== 'cacheStatus')
const sumOrders = SUMS.map(name => `sum_${name}`)

export const datasets = {
  aiGatewayRequestsAdaptiveGroups: { dimensions: withoutCache, more: 'sum: AiGatewaySum!', orders: sumOrders },
  aiGatewayErrorsAdaptiveGroups: { dimensions: withoutCache, more: 'sum: AiGatewaySum!', orders: sumOrders },
  aiGatewayCacheAdaptiveGroups: { dimensions: dimensionNames, more: 'sum: AiGatewaySum!', orders: sumOrders },
} as const satisfies Record<string, Dataset>
export type DatasetName = keyof typeof datasets

const typeName = (dataset: string) => `Account${dataset[0]!.toUpperCase()}${dataset.slice(1)}`

const COMPARISONS = ['neq', 'gt', 'geq', 'lt', 'leq']
const LISTS = ['in', 'notin']
const LIKES = ['like', 'notlike']

function filterFields(names: readonly DimensionName[]): string {
  const fields: string[] = []
  for (const name of names) {
    const { type } = dimension(name)
    fields.push(`${name}: ${type}`)
    for (const operator of COMPARISONS) fields.push(`${name}_${operator}: ${type}`)
    for (const operator of LISTS) fields.push(`${name}_${operator}: [${type}!]`)
    if (type === 'string') for (const operator of LIKES) fields.push(`${name}_${operator}: ${type}`)
  }
  return fields.join('\n  ')
}

function datasetTypes(name: string, { dimensions: names, more, orders }: Dataset): string {
  const type = typeName(name)
  const order = ['count', ...orders, ...names].flatMap(one => [`${one}_ASC`, `${one}_DESC`])
  return `
type ${type} {
  count: uint64!
  ${more}
  dimensions: ${type}Dimensions!
}
type ${type}Dimensions {
  ${names.map(one => `${one}: ${dimension(one).type}!`).join('\n  ')}
}
enum ${type}OrderBy {
  ${order.join('\n  ')}
}
input ${type}Filter_InputObject {
  ${filterFields(names)}
  AND: [${type}Filter_InputObject!]
  OR: [${type}Filter_InputObject!]
}`
}

const field = (name: string) =>
  `${name}(limit: uint64!, filter: ${typeName(name)}Filter_InputObject, orderBy: [${typeName(name)}OrderBy!]): [${typeName(name)}!]!`

const SIZE = 'AccountAiGatewaySizeAdaptiveGroups'

export const schemaText = `
scalar Time
scalar Date
scalar string
scalar uint8
scalar uint16
scalar uint64
scalar float64

type Query {
  viewer: viewer!
}
type viewer {
  accounts(filter: AccountFilter_InputObject, limit: uint64): [account!]!
}
input AccountFilter_InputObject {
  accountTag: string
  accountTag_in: [string!]
}
type account {
  accountTag: string!
  ${Object.keys(datasets).map(field).join('\n  ')}
  """How many logs each gateway has, and how many it may have."""
  ${field('aiGatewaySizeAdaptiveGroups')}
}
type AiGatewaySum {
  ${SUMS.map(name => `${name}: ${name === 'cost' ? 'float64' : 'uint64'}!`).join('\n  ')}
}
${Object.entries(datasets)
  .map(([name, dataset]) => datasetTypes(name, dataset))
  .join('\n')}
type ${SIZE} {
  count: uint64!
  max: ${SIZE}Max!
  dimensions: ${SIZE}Dimensions!
}
type ${SIZE}Max {
  rows: uint64!
}
type ${SIZE}Dimensions {
  ${SIZE_DIMENSIONS.map(one => `${one}: ${dimension(one).type}!`).join('\n  ')}
  """Rows that are kept; 0: as many as there are."""
  logManagement: uint64!
  logManagementStrategy: string!
}
enum ${SIZE}OrderBy {
  count_ASC
  count_DESC
  gateway_ASC
  gateway_DESC
}
input ${SIZE}Filter_InputObject {
  ${filterFields(SIZE_DIMENSIONS)}
  AND: [${SIZE}Filter_InputObject!]
  OR: [${SIZE}Filter_InputObject!]
}
`

/** Types under the names that queries of other services have for them. */
export const otherNames: Record<string, string> = {
  String: 'string',
  ID: 'string',
  Int: 'uint64',
  Float: 'float64',
  DateTime: 'Time',
}
