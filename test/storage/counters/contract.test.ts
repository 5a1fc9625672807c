import { afterAll, afterEach, describe, expect, test } from 'bun:test'
import { closeDatabases } from '../../support/databases.ts'
import { kinds, stopKinds } from './kinds.ts'
import { fixed, limitOf, monthly, NOON, refused, sliding, taken, until } from './limits.ts'

afterEach(closeDatabases)
afterAll(stopKinds)

describe.each(kinds)('%s', (name, open) => {
  const key = (word: string) => `${name}-${word}`

  test('takes until the limit is reached, and says how much is left and for how long', async () => {
    const counters = await open()
    const limit = limitOf(key('until'), 2, 1, fixed(60))
    expect(await taken(counters, [limit], NOON + 10_001)).toMatchObject({ remaining: [1], resets: [50] })
    expect(await taken(counters, [limit], NOON + 20_000)).toMatchObject({ remaining: [0], resets: [40] })
    expect(await refused(counters, [limit], NOON + 59_500)).toEqual({ ok: false, which: 0, used: 2, retryAfter: 1 })
    expect(await taken(counters, [limit], NOON + 60_000)).toMatchObject({ remaining: [1], resets: [60] })
    await counters.close()
  })

  test('takes of all limits or of none, and names the first that does not fit', async () => {
    const counters = await open()
    const [a, b, c] = [limitOf(key('a'), 10, 3), limitOf(key('b'), 5, 5), limitOf(key('c'), 1, 1)] as const
    await taken(counters, [b])
    await taken(counters, [c])
    expect(await refused(counters, [a, b, c])).toMatchObject({ which: 1, used: 5 })
    expect(await counters.used([a, b, c], NOON)).toEqual([0, 5, 1])
    await counters.close()
  })

  test('of one key that stands twice in a list takes twice', async () => {
    const counters = await open()
    const limit = limitOf(key('twice'), 3)
    await taken(counters, [limit, limit])
    await refused(counters, [limit, limit])
    expect(await counters.used([limit], NOON)).toEqual([2])
    await counters.close()
  })

  test('an amount that does not fit is refused, and a smaller one is taken', async () => {
    const counters = await open()
    await taken(counters, [limitOf(key('fit'), 100, 60)])
    expect(await refused(counters, [limitOf(key('fit'), 100, 41)])).toMatchObject({ used: 60 })
    expect((await taken(counters, [limitOf(key('fit'), 100, 40)])).remaining).toEqual([0])
    await counters.close()
  })

  test('the amount 0 passes below the limit, and is refused when it is reached', async () => {
    const counters = await open()
    await taken(counters, [limitOf(key('zero'), 5, 4)])
    await taken(counters, [limitOf(key('zero'), 5, 0)])
    await taken(counters, [limitOf(key('zero'), 5, 1)])
    await refused(counters, [limitOf(key('zero'), 5, 0)])
    await refused(counters, [limitOf(key('nothing'), 0, 0)])
    await counters.close()
  })

  test('a limit that was lowered below what is used refuses, and tells no negative remainder', async () => {
    const counters = await open()
    const one = await taken(counters, [limitOf(key('lowered'), 10, 5)])
    one.settle([12])
    await until(async () => (await counters.used([limitOf(key('lowered'), 10)], NOON))[0] === 12)
    expect(await refused(counters, [limitOf(key('lowered'), 3)])).toMatchObject({ used: 12 })
    await counters.close()
  })

  test('what is settled counts as it was: less, more, or nothing, and only once', async () => {
    const counters = await open()
    const limits = [limitOf(key('less'), 100, 50), limitOf(key('more'), 100, 50), limitOf(key('none'), 100, 50)]
    const one = await taken(counters, limits)
    one.settle([20, 70, 0])
    one.settle([0, 0, 0])
    await until(async () => `${await counters.used(limits, NOON)}` === '20,70,0')
    // Twice in one moment, so that corrections to one bucket meet.
    const [two, three] = [await taken(counters, [limits[0]!]), await taken(counters, [limitOf(key('less'), 100, 30)])]
    two.settle([1])
    three.settle([2])
    await until(async () => `${await counters.used(limits, NOON)}` === '23,70,0')
    await counters.close()
  })

  test('a settlement that is no number leaves what was taken', async () => {
    const counters = await open()
    const limits = [limitOf(key('nan'), 9, 3), limitOf(key('short'), 9, 3), limitOf(key('known'), 9, 3)]
    const one = await taken(counters, limits)
    one.settle([Number.NaN, -1, 1])
    await until(async () => (await counters.used(limits, NOON))[2] === 1)
    expect(await counters.used(limits, NOON)).toEqual([3, 3, 1])
    const two = await taken(counters, limits)
    expect(() => two.settle([])).not.toThrow()
    await counters.close()
  })

  test('what is settled after its window is no part of the next', async () => {
    const counters = await open()
    const limit = limitOf(key('late'), 10, 4, fixed(60))
    const other = limitOf(key('beside'), 10, 4)
    const one = await taken(counters, [limit, other])
    await taken(counters, [limit], NOON + 60_000)
    one.settle([0, 1])
    await until(async () => (await counters.used([other], NOON))[0] === 1)
    expect(await counters.used([limit], NOON + 60_000)).toEqual([4])
    await counters.close()
  })

  test('a sliding window says when enough of it is free', async () => {
    const counters = await open()
    const limit = limitOf(key('slide'), 10, 4, sliding(64))
    await taken(counters, [limit], NOON)
    await taken(counters, [limit], NOON + 20_000)
    expect(await refused(counters, [limit], NOON + 30_000)).toMatchObject({ used: 8, retryAfter: 35 })
    expect(await refused(counters, [{ ...limit, amount: 10 }], NOON + 30_000)).toMatchObject({ retryAfter: 55 })
    expect(await refused(counters, [{ ...limit, amount: 11 }], NOON + 30_000)).toMatchObject({ retryAfter: 55 })
    await refused(counters, [limit], NOON + 63_999)
    await taken(counters, [limit], NOON + 65_000)
    await counters.close()
  })

  test('counts money to the last unit beyond 2^53', async () => {
    const counters = await open()
    const budget = limitOf(key('money'), 2 ** 53 + 2 ** 10, 0, monthly)
    await taken(counters, [{ ...budget, amount: 2 ** 53 }])
    for (let n = 0; n < 1024; n++) await taken(counters, [{ ...budget, amount: 1 }])
    await refused(counters, [{ ...budget, amount: 1 }])
    await refused(counters, [budget])
    await counters.close()
  })

  test('carries over from one nine digits to the next', async () => {
    const counters = await open()
    const limit = limitOf(key('carry'), 1_999_999_998, 999_999_999, sliding(60))
    await taken(counters, [limit], NOON)
    await taken(counters, [limit], NOON + 30_000)
    await refused(counters, [{ ...limit, amount: 1 }], NOON + 30_000)
    await counters.close()
  })

  test('bounds of any size do not break it', async () => {
    const counters = await open()
    for (const limit of [Infinity, 2 ** 63, 2 ** 70]) await taken(counters, [limitOf(key(`bound ${limit}`), limit, 5)])
    for (const limit of [-1, Number.NaN, 0.5]) await refused(counters, [limitOf(key(`bound ${limit}`), limit, 1)])
    const huge = await taken(counters, [limitOf(key('huge'), 2 ** 62, 2 ** 61)])
    huge.settle([2 ** 80])
    await until(async () => (await counters.used([limitOf(key('huge'), 1)], NOON))[0]! >= 2 ** 62)
    await refused(counters, [limitOf(key('huge'), 2 ** 62, 1)])
    await counters.close()
  })

  test.each([-1, Number.NaN, Infinity])('an amount of %p is a fault of the caller', async amount => {
    const counters = await open()
    const limits = [limitOf(key('fault'), 10), limitOf(key('fault'), 10, amount)]
    expect((async () => counters.take(limits, NOON))()).rejects.toThrow(RangeError)
    expect(await counters.used([limits[0]!], NOON)).toEqual([0])
    await counters.close()
  })

  test('windows of one key count apart', async () => {
    const counters = await open()
    await taken(counters, [limitOf(key('apart'), 1, 1, fixed(60))])
    await taken(counters, [limitOf(key('apart'), 1, 1, fixed(120))])
    await taken(counters, [limitOf(key('apart'), 1, 1, monthly)])
    await refused(counters, [limitOf(key('apart'), 1, 1, fixed(60))])
    await counters.close()
  })

  test('a clock that was set back a little lets nothing more through; by far, it begins anew', async () => {
    const counters = await open()
    for (const window of [fixed(60), sliding(60)]) {
      const limit = limitOf(key(`clock ${window.kind}`), 1, 1, window)
      await taken(counters, [limit], NOON)
      await refused(counters, [limit], NOON - 1_000)
      await taken(counters, [limit], NOON - 3_600_000)
    }
    // What a late clock takes counts in the window that others are in already.
    const limit = limitOf(key('late clock'), 2, 1, fixed(60))
    await taken(counters, [limit], NOON)
    await taken(counters, [limit], NOON - 1_000)
    await refused(counters, [limit], NOON + 1_000)
    await counters.close()
  })

  test('asking how much is used takes nothing', async () => {
    const counters = await open()
    const limit = limitOf(key('asked'), 2)
    expect(await counters.used([limit, limitOf(key('never'), 2)], NOON)).toEqual([0, 0])
    await taken(counters, [limit])
    expect(await counters.used([limit], NOON)).toEqual([1])
    await taken(counters, [limit])
    await counters.close()
  })

  test('of 5,000 at once exactly the limit goes through', async () => {
    const counters = await open()
    const limits = [limitOf(key('crowd'), 1_234), limitOf(key('crowd money'), 1e18, 1e12, sliding(60))]
    const said = await Promise.all(Array.from({ length: 5_000 }, () => counters.take(limits, NOON)))
    expect(said.filter(({ ok }) => ok).length).toBe(1_234)
    expect(await counters.used(limits, NOON)).toEqual([1_234, 1_234e12])
    await counters.close()
  })
})
