import { afterAll, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { Counters, Limit, Taken } from '../../../src/storage/counters/counters.ts'
import type { Window } from '../../../src/storage/counters/window.ts'
import { kinds, stopKinds } from './kinds.ts'
import { NOON, until } from './limits.ts'

afterAll(stopKinds)

interface Step {
  /** Milliseconds that pass first. */
  wait: number
  /** What is taken of each limit. */
  amounts: number[]
  /** What was really used of each, settled after some more steps; never when left out. */
  actual?: number[]
  settleAfter: number
}

/** Something that was taken, as a book of account would have it. */
interface Entry {
  limit: number
  at: number
  amount: number
}

const WINDOWS: Window[] = [
  { kind: 'fixed', seconds: 0.5 },
  { kind: 'calendar', period: 'hourly' },
  { kind: 'calendar', period: 'weekly' },
  { kind: 'sliding', seconds: 0.05 },
  { kind: 'sliding', seconds: 2 },
]
// More than 2^53 at once, so that a sum of numbers would lose units.
const LIMITS = [7, 10, 2 ** 60 + 2 ** 10, 5, 20]
const UNIT = [1, 1, 2 ** 58, 1, 1]

const step: fc.Arbitrary<Step> = fc.record({
  wait: fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 1_500 }), fc.constantFrom(3_600_000, 1e9)),
  amounts: fc.tuple(
    ...UNIT.map(unit => fc.oneof(fc.integer({ min: 0, max: 4 }).map(n => n * unit + (n && unit > 1 ? 256 : 0)))),
  ),
  actual: fc.option(fc.tuple(...UNIT.map(unit => fc.integer({ min: 0, max: 6 }).map(n => n * unit))), {
    nil: undefined,
  }),
  settleAfter: fc.integer({ min: 0, max: 3 }),
})

function sameWindow(window: Window, a: number, b: number): boolean {
  if (window.kind === 'calendar') {
    if (window.period === 'hourly')
      return new Date(a).toISOString().slice(0, 13) === new Date(b).toISOString().slice(0, 13)
    // The first Monday of 1970 was the fifth.
    const week = (at: number) => Math.floor((at / 86_400_000 - 4) / 7)
    return week(a) === week(b)
  }
  const length = window.seconds * 1000
  return window.kind === 'fixed' ? Math.floor(a / length) === Math.floor(b / length) : b - a < length
}

/** What a book of account says is used; for a sliding window at least, and at most. */
function booked(book: Entry[], limit: number, now: number): [least: bigint, most: bigint] {
  const window = WINDOWS[limit]!
  const grain = window.kind === 'sliding' ? Math.ceil((window.seconds * 1000) / 64) - 1 : 0
  let [least, most] = [0n, 0n]
  for (const entry of book) {
    if (entry.limit !== limit) continue
    if (sameWindow(window, entry.at, now)) least += BigInt(entry.amount)
    if (sameWindow(window, entry.at, now) || sameWindow(window, entry.at, now - grain)) most += BigInt(entry.amount)
  }
  return [least, most]
}

const fitsBook = (used: bigint, amount: number, limit: number) =>
  amount === 0 ? used < BigInt(limit) : used + BigInt(amount) <= BigInt(limit)

let run = 0

async function follow(counters: Counters, steps: Step[]): Promise<void> {
  const name = `model-${run++}`
  const book: Entry[] = []
  const toSettle: { due: number; said: Taken; actual: number[]; entries: Entry[] }[] = []
  let now = NOON
  for (const [number, { wait, amounts, actual, settleAfter }] of steps.entries()) {
    now += wait
    for (const one of toSettle.filter(({ due }) => due === number)) {
      one.said.settle(one.actual)
      one.said.settle([0, 0, 0, 0, 0])
      for (const entry of one.entries) entry.amount = one.actual[entry.limit]!
    }
    const limits = WINDOWS.map(
      (window, at): Limit => ({ key: `${name}-${at}`, limit: LIMITS[at]!, amount: amounts[at]!, window }),
    )
    const bounds = limits.map((_, at) => booked(book, at, now))
    // A shared store is corrected a moment later.
    await until(async () => {
      const used = await counters.used(limits, now)
      return used.every((value, at) => value >= Number(bounds[at]![0]) && value <= Number(bounds[at]![1]))
    })
    const said = await counters.take(limits, now)
    const surely = limits.findIndex(({ amount, limit }, at) => !fitsBook(bounds[at]![0], amount, limit))
    const perhaps = limits.findIndex(({ amount, limit }, at) => !fitsBook(bounds[at]![1], amount, limit))
    if (!said.ok) {
      expect(perhaps).toBeGreaterThanOrEqual(0)
      expect(said.which).toBeGreaterThanOrEqual(perhaps)
      if (surely >= 0) expect(said.which).toBeLessThanOrEqual(surely)
      continue
    }
    expect(surely).toBe(-1)
    const entries = limits.map(({ amount }, limit): Entry => ({ limit, at: now, amount }))
    book.push(...entries)
    if (actual) toSettle.push({ due: number + 1 + settleAfter, said, actual, entries })
    for (const [at, left] of said.remaining.entries()) {
      const [least, most] = booked(book, at, now)
      expect(left).toBeLessThanOrEqual(Number(BigInt(LIMITS[at]!) - least))
      expect(left).toBeGreaterThanOrEqual(Number(BigInt(LIMITS[at]!) - most))
    }
  }
}

describe.each(kinds)('%s, beside a book of account', (name, open) => {
  test('lets through what the book does, and never more', async () => {
    const counters = await open()
    const numRuns = name === 'memory' ? 500 : 60
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), steps => follow(counters, steps)),
      { numRuns },
    )
    await counters.close()
  })
})
