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
import { Paging } from '../../schemas/management/envelope.ts'
import { account } from '../documentation-headers.ts'
import { route } from '../documentation-operation.ts'
import { ALWAYS, answer, BASE, body, operation, query } from './documentation-parts.ts'

/** Credit in the document (contract 11.10). */

const BILLING = `${BASE}/billing`

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

/**
 * There are no payments: Cloudflare's client is told so in its own terms. The document leaves these out, for it has no
 * operation that never succeeds.
 */
export const payments = [
  ['POST', `${BILLING}/topup`],
  ['POST', `${BILLING}/topup/status`],
  ['POST', `${BILLING}/topup/config`],
  ['DELETE', `${BILLING}/topup/config`],
] as const

export const billingOperations = {
  getCreditBalance: route(
    'GET',
    `${BILLING}/credit-balance`,
    operation('getCreditBalance', 'How much credit there is', {
      description:
        'The account’s, or with `billing.balance: token` that of the token that asks. There are no payments: what buys credit answers 400, code 2036, and `postern credit add` adds it.',
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
