import type { TObject, TSchema } from '@sinclair/typebox'
import { OptionalKind } from '@sinclair/typebox'
import {
  CreditBalanceAnswer,
  InvoiceHistoryAnswer,
  InvoicePreviewAnswer,
  InvoiceQuery,
  NewSpendingLimit,
  SpendingLimitAnswer,
  TopupConfigAnswer,
  UsageHistoryAnswer,
  UsageQuery,
} from '../../schemas/management/billing.ts'
import { ManagementError, Paging } from '../../schemas/management/envelope.ts'
import {
  NewProviderConfig,
  ProviderConfigAnswer,
  ProviderConfigChange,
  ProviderConfigPage,
} from '../../schemas/management/provider-configs.ts'
import { UrlAnswer } from '../../schemas/management/urls.ts'
import { json, named, type Response } from '../documentation-errors.ts'
import { account, accountAndGateway, pathParameter } from '../documentation-headers.ts'
import { type Operation, route } from '../documentation-operation.ts'

/** The management API of the document (contract 11). */

/** Below which its addresses stand. */
export const BASE = '/client/v4/accounts/:account/ai-gateway'
const GATEWAY = `${BASE}/gateways/:gateway`
const BILLING = `${BASE}/billing`

/** `Authorization` alone is told of; the headers of Cloudflare's older credentials take a token too. */
const security = [{ token: [] }]

const refusal = (description: string, code: number, message: string, path?: string[]): Response =>
  json(description, ManagementError, {
    success: false,
    errors: [{ code, message, ...(path && { path }) }],
    messages: [],
    result: null,
  })

const refusals = named('Management', {
  '400': refusal('Something does not fit.', 7_001, 'per_page: expected at most 50', ['query', 'per_page']),
  '401': refusal(
    'The token is missing or wrong, or there is no such account.',
    10_000,
    'Authentication error: send a token of this gateway as `Authorization: Bearer <token>`',
  ),
  '403': refusal('The token does not allow this.', 10_000, 'the token "laptop" lacks the permission "edit"'),
  '404': refusal('There is no such object.', 7_002, 'there is no such gateway'),
  '409': refusal(
    'The name is taken, or the object is not for the API to change.',
    409,
    'the key "default" for openai is declared in postern.yaml:12: change it there',
  ),
  '413': refusal(
    'The body is larger than the configuration’s `server.max_body`.',
    413,
    'the body is larger than 104857600 bytes (server.max_body in postern.yaml)',
  ),
  '500': refusal('A fault of the gateway.', 500, 'a fault of the gateway itself; its log says more'),
})

/** What can go wrong: with everything, with what there is one of, with what can be changed, with what has a body. */
function refusalsOf(statuses: readonly number[]): Record<string, Response> {
  return Object.fromEntries(statuses.map(status => [String(status), refusals[status]!]))
}
const ALWAYS = [400, 401, 403, 500]
const OF_ONE = [400, 401, 403, 404, 500]
const OF_CHANGE = [400, 401, 403, 404, 409, 413, 500]

const answer = (schema: TSchema, result: unknown, info?: unknown): Response =>
  json('The answer in Cloudflare’s envelope.', schema, {
    success: true,
    errors: [],
    messages: [],
    result,
    ...(info !== undefined && { result_info: info }),
  })

/** The members of a query as parameters. */
const query = ({ properties }: TObject): unknown[] =>
  Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: !(OptionalKind in schema),
    ...(schema.description !== undefined && { description: schema.description as string }),
    schema,
  }))

const body = (schema: TSchema, example: unknown): Operation['requestBody'] => ({
  required: true,
  content: { 'application/json': { schema, example } },
})

interface Parts {
  description?: string
  parameters: readonly unknown[]
  requestBody?: Operation['requestBody']
  answer?: Response
  refusals: readonly number[]
}

const operation = (operationId: string, summary: string, parts: Parts): Operation => ({
  operationId,
  summary,
  ...(parts.description !== undefined && { description: parts.description }),
  tags: ['Management'],
  security,
  parameters: parts.parameters,
  ...(parts.requestBody && { requestBody: parts.requestBody }),
  responses: { ...(parts.answer && { '200': parts.answer }), ...refusalsOf(parts.refusals) },
})

const keyExample = {
  id: '019a9f0c-6f5e-7c3a-9d51-0a6b1a3f2e77',
  gateway_id: 'default',
  provider_slug: 'openai',
  alias: 'research',
  default_config: false,
  secret_id: '019a9f0c-6f5e-7c3a-9d51-0a6b1a3f2e77',
  secret_preview: '…w2Xk',
  rate_limit: 60,
  rate_limit_period: 60,
  modified_at: '2026-11-20T09:00:00.000Z',
}
const newKey = {
  provider_slug: 'openai',
  alias: 'research',
  default_config: false,
  secret: 'the key itself',
  rate_limit: 60,
  rate_limit_period: 60,
}
const oneKey = [...accountAndGateway, pathParameter('id', 'The id of the object.', keyExample.id)]
const aKey = answer(ProviderConfigAnswer, keyExample)
const KEYS = `${GATEWAY}/provider_configs`

const providerConfigOperations = {
  listProviderConfigs: route(
    'GET',
    KEYS,
    operation('listProviderConfigs', 'List the keys of providers', {
      description:
        'Every key that serves a gateway, without the key itself: its own, those for all gateways (`shared`), and those of the configuration (`declared`).',
      parameters: [...accountAndGateway, ...query(Paging)],
      answer: answer(ProviderConfigPage, [keyExample], {
        page: 1,
        per_page: 20,
        count: 1,
        total_count: 1,
        total_pages: 1,
      }),
      refusals: OF_ONE,
    }),
  ),
  createProviderConfig: route(
    'POST',
    KEYS,
    operation('createProviderConfig', 'Store a key of a provider', {
      description: 'For this gateway alone, encrypted. There is no secrets store: the key comes in `secret`.',
      parameters: accountAndGateway,
      requestBody: body(NewProviderConfig, newKey),
      answer: aKey,
      refusals: OF_CHANGE,
    }),
  ),
  getProviderConfig: route(
    'GET',
    `${KEYS}/:id`,
    operation('getProviderConfig', 'Look at a key of a provider', {
      parameters: oneKey,
      answer: aKey,
      refusals: OF_ONE,
    }),
  ),
  replaceProviderConfig: route(
    'PUT',
    `${KEYS}/:id`,
    operation('replaceProviderConfig', 'Put a key of a provider anew', {
      description:
        'Provider and alias stay as they are, and without `secret` so does the key; a limit that is left out ends.',
      parameters: oneKey,
      requestBody: body(NewProviderConfig, newKey),
      answer: aKey,
      refusals: OF_CHANGE,
    }),
  ),
  changeProviderConfig: route(
    'PATCH',
    `${KEYS}/:id`,
    operation('changeProviderConfig', 'Change a key of a provider', {
      description: 'What is left out stays as it is.',
      parameters: oneKey,
      requestBody: body(ProviderConfigChange, { default_config: true, rate_limit: null }),
      answer: aKey,
      refusals: OF_CHANGE,
    }),
  ),
  deleteProviderConfig: route(
    'DELETE',
    `${KEYS}/:id`,
    operation('deleteProviderConfig', 'Remove a key of a provider', {
      parameters: oneKey,
      answer: aKey,
      refusals: [...OF_ONE, 409],
    }),
  ),
}

const urlOperations = {
  getGatewayUrl: route(
    'GET',
    `${GATEWAY}/url/:slug`,
    operation('getGatewayUrl', 'The address of a gateway', {
      parameters: [
        ...accountAndGateway,
        pathParameter(
          'slug',
          'A provider; `compat` for the address of OpenAI’s form, `universal` for that of steps.',
          'openai',
        ),
      ],
      answer: answer(UrlAnswer, 'http://127.0.0.1:8787/v1/home/default/openai'),
      refusals: OF_ONE,
    }),
  ),
}

const ofAccount = [account]
const anHour = {
  id: 'hour-1763629200000',
  aggregated_value: 0.25,
  start_time: 1_763_629_200_000,
  end_time: 1_763_632_800_000,
}
const limit = { amount: 5_000, duration: 'monthly', strategy: 'fixed' }
const aLimit = answer(SpendingLimitAnswer, { enabled: true, config: limit })
const noLimit = answer(SpendingLimitAnswer, {
  enabled: false,
  config: { amount: null, duration: null, strategy: null },
})

/** There are no payments: these are here so that Cloudflare's client is told so in its own terms. */
const notOffered = { parameters: ofAccount, refusals: ALWAYS }
const ANY = 'There are no payments: this always answers 400, code 2036. `postern credit add` adds credit.'

const billingOperations = {
  getCreditBalance: route(
    'GET',
    `${BILLING}/credit-balance`,
    operation('getCreditBalance', 'How much credit there is', {
      description: 'The account’s, or with `billing.balance: token` that of the token that asks.',
      parameters: ofAccount,
      answer: answer(CreditBalanceAnswer, {
        balance: 12.5,
        has_default_payment_method: false,
        payment_method: null,
        topup_config: { amount: null, threshold: null },
      }),
      refusals: ALWAYS,
    }),
  ),
  getUsageHistory: route(
    'GET',
    `${BILLING}/usage-history`,
    operation('getUsageHistory', 'How much credit was used', {
      parameters: [account, ...query(UsageQuery)],
      answer: answer(UsageHistoryAnswer, { history: [anHour] }),
      refusals: ALWAYS,
    }),
  ),
  getInvoiceHistory: route(
    'GET',
    `${BILLING}/invoice-history`,
    operation('getInvoiceHistory', 'Past invoices', {
      parameters: [account, ...query(InvoiceQuery), ...query(Paging)],
      answer: answer(InvoiceHistoryAnswer, {
        invoices: [],
        pagination: { has_more: false, page: 1, per_page: 20, total_count: 0 },
      }),
      refusals: ALWAYS,
    }),
  ),
  getInvoicePreview: route(
    'GET',
    `${BILLING}/invoice-preview`,
    operation('getInvoicePreview', 'The next invoice', {
      parameters: ofAccount,
      answer: answer(InvoicePreviewAnswer, {
        id: 'none',
        amount_due: 0,
        amount_paid: 0,
        amount_remaining: 0,
        currency: 'usd',
        invoice_lines: [],
        period_start: 1_761_955_200,
        period_end: 1_764_547_200,
        status: 'draft',
      }),
      refusals: ALWAYS,
    }),
  ),
  createTopup: route(
    'POST',
    `${BILLING}/topup`,
    operation('createTopup', 'Buy credit', { description: ANY, ...notOffered }),
  ),
  getTopupStatus: route(
    'POST',
    `${BILLING}/topup/status`,
    operation('getTopupStatus', 'What became of a purchase', { description: ANY, ...notOffered }),
  ),
  getTopupConfig: route(
    'GET',
    `${BILLING}/topup/config`,
    operation('getTopupConfig', 'When credit is bought by itself', {
      description: 'Never: both members are null.',
      parameters: ofAccount,
      answer: answer(TopupConfigAnswer, { amount: null, threshold: null }),
      refusals: ALWAYS,
    }),
  ),
  setTopupConfig: route(
    'POST',
    `${BILLING}/topup/config`,
    operation('setTopupConfig', 'Buy credit by itself', { description: ANY, ...notOffered }),
  ),
  removeTopupConfig: route(
    'DELETE',
    `${BILLING}/topup/config`,
    operation('removeTopupConfig', 'Buy no credit by itself', { description: ANY, ...notOffered }),
  ),
  getSpendingLimit: route(
    'GET',
    `${BILLING}/spending-limit`,
    operation('getSpendingLimit', 'How much may be spent', { parameters: ofAccount, answer: aLimit, refusals: ALWAYS }),
  ),
  setSpendingLimit: route(
    'POST',
    `${BILLING}/spending-limit`,
    operation('setSpendingLimit', 'Limit what may be spent', {
      parameters: ofAccount,
      requestBody: body(NewSpendingLimit, limit),
      answer: aLimit,
      refusals: [...ALWAYS, 413],
    }),
  ),
  removeSpendingLimit: route(
    'DELETE',
    `${BILLING}/spending-limit`,
    operation('removeSpendingLimit', 'Limit nothing', { parameters: ofAccount, answer: noLimit, refusals: ALWAYS }),
  ),
}

export const managementOperations = { ...providerConfigOperations, ...urlOperations, ...billingOperations }

export type ManagementOperation = keyof typeof managementOperations
