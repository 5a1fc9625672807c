import { dollarText } from '../../costs/money.ts'
import type { Window } from '../../storage/counters/window.ts'

/** The window of a limit, as the end of a sentence. */
export function inTime(window: Window): string {
  if (window.kind === 'calendar') return `${CALENDAR[window.period]} (UTC)`
  return window.kind === 'fixed' ? `in each ${window.seconds} s` : `in any ${window.seconds} s`
}

const CALENDAR = { hourly: 'in an hour', daily: 'in a day', weekly: 'in a week', monthly: 'in a month' } as const

export const dollars = (pico: number): string => `$${dollarText(pico)}`
