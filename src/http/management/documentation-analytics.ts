import { AnalyticsAnswer, AnalyticsQuery } from '../../schemas/management/analytics.ts'
import { GraphQLQuery, GraphQLResult } from '../../schemas/management/graphql.ts'
import { json } from '../documentation-errors.ts'
import { account, accountAndGateway } from '../documentation-headers.ts'
import { route } from '../documentation-operation.ts'
import { ALWAYS, answer, BASE, body, GATEWAY, OF_ONE, operation, query } from './documentation-parts.ts'

/** Analytics in the document, and GraphQL (contract 9.2). */

const sums = {
  requests: 240,
  attempts: 251,
  errors: 12,
  cached: 60,
  tokens_in: 51_200,
  tokens_out: 20_480,
  tokens_cached: 12_000,
  tokens_in_from_cache: 9_800,
  tokens_out_from_cache: 4_100,
  cost: 0.482113,
  latency: { average: 913.2, p50: 702.5, p90: 1_800.3, p95: 2_410.8, p99: 5_220.1 },
  first_byte: { average: 310.4, p50: 280.9, p90: 512.6, p95: 640.2, p99: 1_210.7 },
}
const point = { at: '2026-11-20T09:00:00.000Z', ...sums }
const report = {
  from: '2026-11-19T10:00:00.000Z',
  to: '2026-11-20T10:00:00.000Z',
  interval: 3_600,
  exact: false,
  totals: sums,
  series: [point],
  top: [{ by: { provider: 'openai', model: 'gpt-5.2' }, ...sums, series: [point] }],
}
const anAnalysis = answer(AnalyticsAnswer, report)
const description =
  'Totals, a series and, with `by`, the first of a list with their series: `?from=30d&interval=1d&by=provider,model&metric=cost&limit=5`. Not of Cloudflare’s.'

const question = `query Costs($account: string!, $since: Time!) {
  viewer {
    accounts(filter: { accountTag: $account }) {
      aiGatewayRequestsAdaptiveGroups(limit: 10, filter: { datetimeHour_geq: $since }, orderBy: [sum_cost_DESC]) {
        count
        sum { cost cachedRequests erroredRequests }
        dimensions { provider model }
      }
    }
  }
}`

export const analyticsOperations = {
  getAnalytics: route(
    'GET',
    `${BASE}/analytics`,
    operation('getAnalytics', 'What was asked, and what it cost', {
      description: `${description} Of all gateways that the token opens.`,
      parameters: [account, ...query(AnalyticsQuery, 'Analytics')],
      answer: anAnalysis,
      refusals: ALWAYS,
    }),
  ),
  getGatewayAnalytics: route(
    'GET',
    `${GATEWAY}/analytics`,
    operation('getGatewayAnalytics', 'What was asked of a gateway, and what it cost', {
      description: `${description} Intervals below an hour count the logs themselves.`,
      parameters: [...accountAndGateway, ...query(AnalyticsQuery, 'Analytics')],
      answer: anAnalysis,
      refusals: OF_ONE,
    }),
  ),
  queryGraphql: route(
    'POST',
    '/client/v4/graphql',
    operation('queryGraphql', 'Ask for analytics in GraphQL', {
      description:
        'The datasets `aiGatewayRequestsAdaptiveGroups`, `aiGatewayErrorsAdaptiveGroups`, `aiGatewayCacheAdaptiveGroups` and `aiGatewaySizeAdaptiveGroups` of Cloudflare’s analytics; the schema tells of itself. A group counts steps and attempts, as the logs do. What a query comes to, faults too, is answered with 200.',
      parameters: [],
      requestBody: body(GraphQLQuery, {
        query: question,
        variables: { account: 'home', since: '2026-11-20T00:00:00Z' },
      }),
      answer: json('What the query comes to.', GraphQLResult, {
        data: {
          viewer: {
            accounts: [
              {
                aiGatewayRequestsAdaptiveGroups: [
                  {
                    count: 251,
                    sum: { cost: 0.482113, cachedRequests: 60, erroredRequests: 12 },
                    dimensions: { provider: 'openai', model: 'openai/gpt-5.2' },
                  },
                ],
              },
            ],
          },
        },
        errors: null,
      }),
      refusals: [...ALWAYS, 413],
    }),
  ),
}
