/**
 * The time over which is counted.
 *
 * - `fixed`: aligned to the whole multiples of its length since 1970.
 * - `sliding`: in any interval of its length, wherever it begins, never more than the limit.
 * - `calendar`: UTC; weeks begin on Monday.
 */
export type Window =
  | { kind: 'fixed' | 'sliding'; seconds: number }
  | { kind: 'calendar'; period: 'hourly' | 'daily' | 'weekly' | 'monthly' }

/** Where a moment stands in a window, in milliseconds (since 1970). What is taken counts in buckets of time. */
export interface Frame {
  /** The beginning of the bucket that is taken in now. */
  bucket: number
  /** A bucket that begins before this counts no more. */
  from: number
  /** How long a bucket counts, from its beginning. */
  span: number
}

/**
 * A sliding window is cut into 64 buckets, of at least a millisecond. A bucket counts until the last moment that it may
 * hold has left the window: what was taken counts up to a 64th longer than the window is long, and never shorter, so
 * that the bound holds in every interval. A window of up to 64 ms counts to the millisecond.
 */
const SLIDING_BUCKETS = 64

const HOUR = 3_600_000
const DAY = 24 * HOUR

export function frameOf(window: Window, now: number): Frame {
  if (window.kind === 'calendar') return calendarFrame(window.period, now)
  const length = Math.max(1, Math.round(window.seconds * 1000))
  if (window.kind === 'fixed') {
    const start = now - mod(now, length)
    return { bucket: start, from: start, span: length }
  }
  const width = Math.ceil(length / SLIDING_BUCKETS)
  const earliest = now - length + 1
  return { bucket: now - mod(now, width), from: earliest - mod(earliest, width), span: width - 1 + length }
}

/** `%` takes the sign of its left side. */
function mod(value: number, by: number): number {
  const rest = value % by
  return rest < 0 ? rest + by : rest
}

/** The keys of counters that were asked for: a text that is put together anew has to be hashed anew at each request. */
const keysOf = new WeakMap<Window, Map<string, string>>()
/** Of one window. Beyond, all of its are forgotten, because callers may write parts of them. */
const MOST_KEYS = 1_000

/** The key of a counter: what is counted, in which window. */
export function counterKey(key: string, window: Window): string {
  let known = keysOf.get(window)
  if (!known) {
    known = new Map()
    keysOf.set(window, known)
  }
  let made = known.get(key)
  if (made === undefined) {
    made = window.kind === 'calendar' ? `${key} ${window.period}` : `${key} ${window.kind} ${window.seconds}`
    if (known.size >= MOST_KEYS) known.clear()
    known.set(key, made)
  }
  return made
}

const sliding = new Map<number, Window>()
const MOST_SLIDING = 1_000

/** The same object for the same length, so that what is known of it need not be found out for every request. */
export function slidingWindow(seconds: number): Window {
  let window = sliding.get(seconds)
  if (!window) {
    window = { kind: 'sliding', seconds }
    if (sliding.size >= MOST_SLIDING) sliding.clear()
    sliding.set(seconds, window)
  }
  return window
}

/** One object for each period. */
export const calendarWindows: Readonly<Record<Period, Window>> = {
  hourly: { kind: 'calendar', period: 'hourly' },
  daily: { kind: 'calendar', period: 'daily' },
  weekly: { kind: 'calendar', period: 'weekly' },
  monthly: { kind: 'calendar', period: 'monthly' },
}

type Period = Extract<Window, { kind: 'calendar' }>['period']

/** The period that was asked for last, because finding the bounds of a month makes two dates. */
const last: Record<Period, Frame> = {
  hourly: { bucket: 0, from: 0, span: 0 },
  daily: { bucket: 0, from: 0, span: 0 },
  weekly: { bucket: 0, from: 0, span: 0 },
  monthly: { bucket: 0, from: 0, span: 0 },
}

function calendarFrame(period: Period, now: number): Frame {
  const known = last[period]
  if (now >= known.bucket && now < known.bucket + known.span) return known
  const [start, end] = calendarBounds(period, now)
  last[period] = { bucket: start, from: start, span: end - start }
  return last[period]
}

function calendarBounds(period: Period, now: number): [start: number, end: number] {
  if (period === 'hourly') {
    const start = now - mod(now, HOUR)
    return [start, start + HOUR]
  }
  const day = now - mod(now, DAY)
  if (period === 'daily') return [day, day + DAY]
  const date = new Date(day)
  if (period === 'weekly') {
    const start = day - ((date.getUTCDay() + 6) % 7) * DAY
    return [start, start + 7 * DAY]
  }
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()]
  return [Date.UTC(year, month), Date.UTC(year, month + 1)]
}
