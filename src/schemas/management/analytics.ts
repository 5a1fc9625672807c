import { type Static, Type } from '@sinclair/typebox'
import { open, word } from '../open.ts'
import { enveloped } from './envelope.ts'

/** Sums of what was logged, over time and by anything that tells requests apart. Not of Cloudflare's. */

export const METRICS = [
  'requests',
  'attempts',
  'errors',
  'cached',
  'tokens',
  'tokens_in',
  'tokens_out',
  'cost',
  'latency',
] as const
export type Metric = (typeof METRICS)[number]

const several = (what: string) =>
  Type.Optional(Type.String({ maxLength: 2_000, description: `${what}; several with commas.` }))

export const AnalyticsQuery = open({
  from: Type.Optional(
    Type.String({
      maxLength: 40,
      description: 'A time, or how long before `to`: `90m`, `24h`, `30d`, `8w`. `24h` when left out.',
    }),
  ),
  to: Type.Optional(Type.String({ maxLength: 40, description: 'A time; now when left out.' })),
  interval: Type.Optional(
    Type.String({
      maxLength: 20,
      description:
        'How long a point of the series is: `5m`, `1h`, `1d`, `1w`. Below an hour the logs themselves are counted, which one gateway alone can be asked for. When left out, an hour up to a week and a day beyond.',
    }),
  ),
  by: Type.Optional(
    Type.String({
      maxLength: 200,
      description:
        'What to tell apart: `gateway`, `provider`, `model`, `token`, `status`, `cached`, `success`, several with commas; or `metadata.<key>` with a key of the configuration’s `storage.log_metadata_keys`; or `user_agent`, `path`, `error` of one gateway.',
    }),
  ),
  metric: Type.Optional(word([...METRICS], { description: 'By which the list is sorted; `requests` when left out.' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 10, description: 'Of the list.' })),
  gateway: several('Gateways alone'),
  provider: several('Providers alone'),
  model: several('Models alone'),
  token: several('Names of tokens alone'),
  status: several('Status codes alone'),
  cached: Type.Optional(Type.Boolean({ description: 'What came from the cache alone, or what did not.' })),
  success: Type.Optional(Type.Boolean({ description: 'What went well alone, or what did not.' })),
})

const times = (description: string) =>
  Type.Optional(
    open(
      {
        average: Type.Optional(Type.Number()),
        p50: Type.Optional(Type.Number()),
        p90: Type.Optional(Type.Number()),
        p95: Type.Optional(Type.Number()),
        p99: Type.Optional(Type.Number()),
      },
      { description: `${description}, in milliseconds; percentiles to within a few per cent.` },
    ),
  )

const sums = {
  requests: Type.Integer({ description: 'Of clients: further steps and attempts of one are none of their own.' }),
  attempts: Type.Integer(),
  errors: Type.Integer({ description: 'Attempts with a status from 400 on.' }),
  cached: Type.Integer({ description: 'From the gateway’s own cache.' }),
  tokens_in: Type.Integer(),
  tokens_out: Type.Integer(),
  tokens_cached: Type.Integer({ description: 'Of `tokens_in`, those that providers had in their caches.' }),
  tokens_in_from_cache: Type.Integer({ description: 'Of `tokens_in`, those that the gateway’s cache saved.' }),
  tokens_out_from_cache: Type.Integer({ description: 'Of `tokens_out`, those that the gateway’s cache saved.' }),
  cost: Type.Number({ description: 'USD, exactly: read it as a decimal number where that matters.' }),
  latency: times('To the end'),
  first_byte: times('To the first byte'),
}

const AnalyticsSums = open(sums, { $id: 'AnalyticsSums' })
const time = Type.String({ format: 'date-time' })
const AnalyticsPoint = open(
  { at: Type.String({ format: 'date-time', description: 'When it begins.' }), ...sums },
  { $id: 'AnalyticsPoint' },
)

export const AnalyticsReport = open(
  {
    from: time,
    to: time,
    interval: Type.Integer({ description: 'Seconds of a point.' }),
    exact: Type.Boolean({
      description:
        'The logs themselves were counted; otherwise the sums of whole hours, which know of deleted logs, too.',
    }),
    totals: AnalyticsSums,
    series: Type.Array(AnalyticsPoint, { description: 'Points without any request are left out.' }),
    top: Type.Array(
      open(
        {
          by: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()])),
          ...sums,
          series: Type.Optional(Type.Array(AnalyticsPoint)),
        },
        { $id: 'AnalyticsGroup' },
      ),
      { description: 'With `by`: the first by `metric`.' },
    ),
  },
  { $id: 'AnalyticsReport' },
)

export const AnalyticsAnswer = enveloped('AnalyticsAnswer', AnalyticsReport)

export type AnalyticsQuery = Static<typeof AnalyticsQuery>
