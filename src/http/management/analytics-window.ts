import { invalid } from './answers.ts'

/** Which time an analysis is about, and how long its points are. */
export interface Window {
  /** Milliseconds since 1970. */
  from: number
  to: number
  /** Milliseconds. */
  interval: number
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const UNITS: Record<string, number> = { s: 1_000, m: MINUTE, h: HOUR, d: DAY, w: 7 * DAY }
const WORDS: Record<string, number> = { minute: MINUTE, hour: HOUR, day: DAY, week: 7 * DAY }

/** Points of one series. */
const MOST_POINTS = 2_000
/** Up to which a point is an hour where nothing is said. */
const HOURLY = 7 * DAY
/** Dates that a program can say; what is before 1970 was not logged. */
const LATEST = Date.UTC(9999, 0)

const length = (text: string): number | undefined => {
  const [, count, unit] = /^(\d{1,6})([smhdw])$/.exec(text) ?? []
  return count ? Number(count) * UNITS[unit!]! : undefined
}

/** @throws GatewayFault 400/7001 */
export function windowIn(said: { from?: string; to?: string; interval?: string }, now = Date.now()): Window {
  const to = said.to === undefined ? now : timeIn('to', said.to)
  const from = said.from === undefined ? to - DAY : (before(to, said.from) ?? timeIn('from', said.from))
  if (from >= to) throw invalid('query', { path: 'from', message: 'from: expected a time before `to`' })
  const asked = said.interval
  const usual = to - from <= HOURLY ? HOUR : DAY * Math.ceil((to - from) / (DAY * MOST_POINTS))
  const interval = asked === undefined ? usual : (WORDS[asked] ?? length(asked))
  if (!interval || interval < MINUTE || (interval > HOUR && interval % HOUR))
    throw refusedInterval('expected one such as 5m, 1h, 1d or 1w: at least a minute, and whole hours beyond one')
  if ((to - from) / interval > MOST_POINTS) throw refusedInterval(`this makes more than ${MOST_POINTS} points`)
  return { from, to, interval }
}

function before(to: number, text: string): number | undefined {
  const long = length(text)
  return long === undefined ? undefined : Math.max(0, to - long)
}

function timeIn(path: 'from' | 'to', text: string): number {
  const time = /^\d{12,14}$/.test(text) ? Number(text) : Date.parse(text)
  if (time >= 0 && time <= LATEST) return time
  throw invalid('query', { path, message: `${path}: expected a time such as 2026-11-02T10:11:12Z, or 24h, 30d before` })
}

const refusedInterval = (why: string) => invalid('query', { path: 'interval', message: `interval: ${why}` })
