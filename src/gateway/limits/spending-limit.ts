import { calendarWindows, slidingWindow } from '../../storage/counters/window.ts'
import type { SettingStore } from '../../storage/settings.ts'
import { Lately } from '../lately.ts'
import type { Claim } from './claim.ts'
import { overspent } from './gateway-limits.ts'
import { dollars, inTime } from './words.ts'

/** The most that the account pays for the house's keys in a time (contract 11.10), as the management API keeps it. */
export interface AccountLimit {
  /** Cents of USD. */
  amount: number
  duration: 'daily' | 'weekly' | 'monthly'
  strategy: 'fixed' | 'sliding'
}

/** The name of the setting. */
export const SPENDING_LIMIT = 'spending_limit'

const DAYS = { daily: 1, weekly: 7, monthly: 30 } as const
const DAY_S = 86_400
const CENT_PICO = 10_000_000_000
/** A number of picodollars holds no more. */
const MOST_CENTS = 900_000

/** What the store says of it, remembered for two seconds. */
export const accountLimit = (settings: SettingStore): Lately<AccountLimit | undefined> =>
  new Lately(async () => (await settings.get(SPENDING_LIMIT)) as AccountLimit | undefined)

/** @param amount picodollars that a request may cost */
export function accountClaim({ amount: cents, duration, strategy }: AccountLimit, amount: number): Claim {
  const window = strategy === 'fixed' ? calendarWindows[duration] : slidingWindow(DAYS[duration] * DAY_S)
  const limit = Math.round(Math.min(cents, MOST_CENTS) * CENT_PICO)
  return {
    key: 'spending:account',
    limit,
    amount,
    window,
    counts: 'cost',
    shown: false,
    refusal: said =>
      overspent(
        `the account spends ${dollars(limit)} ${inTime(window)} on the house's keys, ${dollars(said.used)} are spent or promised; send a key of your own, or ask the operator`,
        said,
      ),
  }
}
