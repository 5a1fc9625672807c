import { type Static, Type } from '@sinclair/typebox'
import { nullable, open, word } from '../open.ts'
import { enveloped } from './envelope.ts'

/** Credit (contract 11.10). What has to do with payments is of the right type and says that there are none. */

const nothing = Type.Null()

const TopupConfig = open({
  amount: nullable(Type.Number()),
  threshold: nullable(Type.Number()),
})

export const CreditBalance = open(
  {
    balance: Type.Number({ description: 'USD.', examples: [12.5] }),
    has_default_payment_method: Type.Literal(false),
    payment_method: nothing,
    topup_config: TopupConfig,
  },
  { $id: 'CreditBalance' },
)

export const UsageQuery = open({
  value_grouping_window: word(['day', 'hour'], { description: 'How usage is added up; days are those of UTC.' }),
  start_time: Type.Optional(
    nullable(Type.Integer({ minimum: 0 }), {
      description:
        'Milliseconds since 1970; 30 days before the end when left out. The window that it lies in is whole.',
    }),
  ),
  end_time: Type.Optional(
    nullable(Type.Integer({ minimum: 0 }), { description: 'Milliseconds since 1970; now when left out.' }),
  ),
})

export const UsageHistory = open(
  {
    history: Type.Array(
      open({
        id: Type.String(),
        aggregated_value: Type.Number({ description: 'USD.' }),
        start_time: Type.Integer({ description: 'Milliseconds since 1970.' }),
        end_time: Type.Integer({ description: 'Milliseconds since 1970.' }),
      }),
      { description: 'The windows in which anything was charged, oldest first.' },
    ),
  },
  { $id: 'UsageHistory' },
)

export const InvoiceQuery = open({
  type: Type.Optional(word(['auto', 'all', 'manual'], { description: 'Which invoices.' })),
})

export const InvoiceHistory = open(
  {
    invoices: Type.Array(open({ id: Type.String() }), {
      maxItems: 0,
      description: 'Always empty: nothing is invoiced.',
    }),
    pagination: open({
      has_more: Type.Boolean(),
      page: Type.Integer(),
      per_page: Type.Integer(),
      total_count: Type.Integer(),
    }),
  },
  { $id: 'InvoiceHistory' },
)

const zero = Type.Literal(0)

export const InvoicePreview = open(
  {
    id: Type.String(),
    amount_due: zero,
    amount_paid: zero,
    amount_remaining: zero,
    currency: Type.Literal('usd'),
    invoice_lines: Type.Array(open({ amount: Type.Number() }), { maxItems: 0 }),
    period_start: Type.Integer({ description: 'The beginning of this month in UTC, in seconds since 1970.' }),
    period_end: Type.Integer({ description: 'Its end.' }),
    status: Type.Literal('draft'),
  },
  { $id: 'InvoicePreview', description: 'Nothing is due: nothing is invoiced.' },
)

const strategy = word(['fixed', 'sliding'], {
  description: 'fixed: by the calendar, in UTC; sliding: over the time that ends now.',
})
const duration = word(['daily', 'weekly', 'monthly'])

export const NewSpendingLimit = open(
  {
    amount: Type.Number({ minimum: 100, maximum: 900_000_000, description: 'Cents of USD.', examples: [5_000] }),
    duration,
    strategy,
  },
  { $id: 'NewSpendingLimit' },
)

export const SpendingLimit = open(
  {
    enabled: Type.Boolean(),
    config: open({
      amount: nullable(Type.Number(), { description: 'Cents of USD.' }),
      duration: nullable(duration),
      strategy: nullable(strategy),
    }),
  },
  { $id: 'SpendingLimit' },
)

export const CreditBalanceAnswer = enveloped('CreditBalanceAnswer', CreditBalance)
export const UsageHistoryAnswer = enveloped('UsageHistoryAnswer', UsageHistory)
export const InvoiceHistoryAnswer = enveloped('InvoiceHistoryAnswer', InvoiceHistory)
export const InvoicePreviewAnswer = enveloped('InvoicePreviewAnswer', InvoicePreview)
export const SpendingLimitAnswer = enveloped('SpendingLimitAnswer', SpendingLimit)
export const TopupConfigAnswer = enveloped('TopupConfigAnswer', TopupConfig)

export type CreditBalance = Static<typeof CreditBalance>
export type UsageHistory = Static<typeof UsageHistory>
export type InvoiceHistory = Static<typeof InvoiceHistory>
export type InvoicePreview = Static<typeof InvoicePreview>
export type NewSpendingLimit = Static<typeof NewSpendingLimit>
export type SpendingLimit = Static<typeof SpendingLimit>
