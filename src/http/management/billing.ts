import { dollarsOf } from '../../costs/money.ts'
import { SPENDING_LIMIT } from '../../gateway/limits/spending-limit.ts'
import { demandAllGateways, type Manager } from '../../gateway/manage.ts'
import {
  type CreditBalance,
  type InvoiceHistory,
  type InvoicePreview,
  InvoiceQuery,
  NewSpendingLimit,
  type SpendingLimit,
  type UsageHistory,
  UsageQuery,
} from '../../schemas/management/billing.ts'
import { invalid, notOffered, success } from './answers.ts'
import type { ManagementHandler } from './call.ts'
import { bodyReader, queryReader } from './input.ts'
import { pageOf } from './paging.ts'

/** Credit, as far as a gateway of one's own has it (contract 11.10): balances and use, but no payments. */

/**
 * Whose credit a caller asks about: where each token has its own, that one; otherwise the account's, which is not for
 * tokens of some gateways only.
 */
function ownerOf(manager: Manager): string {
  if (manager.settings.config.billing.balance === 'token') return `token:${manager.caller.name}`
  demandAllGateways(manager)
  return 'account'
}

const getCreditBalance: ManagementHandler = async ({ manager }) => {
  const credit = await manager.store.credits.of(ownerOf(manager))
  return success({
    balance: dollarsOf(credit?.balance ?? 0n),
    has_default_payment_method: false,
    payment_method: null,
    topup_config: { amount: null, threshold: null },
  } satisfies CreditBalance)
}

const HOUR_MS = 3_600_000
const WINDOW_MS = { hour: HOUR_MS, day: 24 * HOUR_MS }
/** So that an answer stays within bounds: a quarter by hours, six years by days. */
const MOST_WINDOWS = 2_208
const USUAL_MS = 30 * WINDOW_MS.day

const readUsageQuery = queryReader(UsageQuery)

const getUsageHistory: ManagementHandler = async ({ request, manager }) => {
  const owner = ownerOf(manager)
  const query = readUsageQuery(request)
  const window = WINDOW_MS[query.value_grouping_window]
  const end = query.end_time ?? Date.now()
  const start = windowOf(query.start_time ?? Math.max(0, end - USUAL_MS), window)
  if (start > end)
    throw invalid('query', { path: 'start_time', message: 'start_time: expected a time before end_time' })
  if ((end - start) / window > MOST_WINDOWS) {
    const message = `start_time: expected at most ${MOST_WINDOWS} windows before end_time`
    throw invalid('query', { path: 'start_time', message })
  }
  const sums = new Map<number, bigint>()
  for (const { hour, amount } of await manager.store.credits.usage(owner, start, end)) {
    const from = windowOf(hour, window)
    sums.set(from, (sums.get(from) ?? 0n) + amount)
  }
  const history = [...sums].map(([from, amount]) => ({
    id: `${query.value_grouping_window}-${from}`,
    aggregated_value: dollarsOf(amount),
    start_time: from,
    end_time: from + window,
  }))
  return success({ history } satisfies UsageHistory)
}

const windowOf = (time: number, window: number) => Math.floor(time / window) * window

const readInvoiceQuery = queryReader(InvoiceQuery)

const getInvoiceHistory: ManagementHandler = ({ request, manager }) => {
  ownerOf(manager)
  readInvoiceQuery(request)
  const { page, per_page } = pageOf(request)
  const pagination = { has_more: false, page, per_page, total_count: 0 }
  return success({ invoices: [], pagination } satisfies InvoiceHistory)
}

const getInvoicePreview: ManagementHandler = ({ manager }) => {
  ownerOf(manager)
  const now = new Date()
  const month = (offset: number) => Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + offset) / 1_000
  return success({
    id: 'none',
    amount_due: 0,
    amount_paid: 0,
    amount_remaining: 0,
    currency: 'usd',
    invoice_lines: [],
    period_start: month(0),
    period_end: month(1),
    status: 'draft',
  } satisfies InvoicePreview)
}

export const noPayments: ManagementHandler = () => {
  throw notOffered('there are no payments; the operator adds credit with `postern credit add <dollars>`')
}

const getTopupConfig: ManagementHandler = ({ manager }) => {
  ownerOf(manager)
  return success({ amount: null, threshold: null })
}

const NO_LIMIT: SpendingLimit = { enabled: false, config: { amount: null, duration: null, strategy: null } }
const limitOf = ({ amount, duration, strategy }: NewSpendingLimit): SpendingLimit => ({
  enabled: true,
  config: { amount, duration, strategy },
})

const getSpendingLimit: ManagementHandler = async ({ manager }) => {
  demandAllGateways(manager)
  const kept = (await manager.store.settings.get(SPENDING_LIMIT)) as NewSpendingLimit | undefined
  return success(kept ? limitOf(kept) : NO_LIMIT)
}

const readSpendingLimit = bodyReader(NewSpendingLimit)

const setSpendingLimit: ManagementHandler = async ({ request, manager }) => {
  demandAllGateways(manager)
  const { settings, store, caller } = manager
  const { value, notes } = await readSpendingLimit(request, settings.config.server.max_body)
  const limit = limitOf(value)
  await store.settings.set(SPENDING_LIMIT, limit.config)
  settings.accountLimit.forget('')
  settings.log.info({ by: caller.name, limit: limit.config }, 'spending limit set')
  return success(limit, { notes })
}

const removeSpendingLimit: ManagementHandler = async ({ manager }) => {
  demandAllGateways(manager)
  manager.settings.accountLimit.forget('')
  if (await manager.store.settings.remove(SPENDING_LIMIT))
    manager.settings.log.info({ by: manager.caller.name }, 'spending limit removed')
  return success(NO_LIMIT)
}

export const billing = {
  getCreditBalance,
  getUsageHistory,
  getInvoiceHistory,
  getInvoicePreview,
  getTopupConfig,
  getSpendingLimit,
  setSpendingLimit,
  removeSpendingLimit,
}
