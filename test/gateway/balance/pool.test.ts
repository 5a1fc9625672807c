import { describe, expect, test } from 'bun:test'
import { usualHealth } from '../../../src/gateway/balance/health.ts'
import {
  choose,
  type Member,
  poolOf,
  release,
  report,
  type Strategy,
  strategies,
  waitOf,
} from '../../../src/gateway/balance/pool.ts'
import { Pools } from '../../../src/gateway/balance/pools.ts'

/** Never curious. */
const calm = () => 0.5
const poolWith = (strategy: Strategy, ids = ['a', 'b', 'c']) => poolOf(ids, strategy, usualHealth)

/** The names of those who are chosen, none of whom answers. */
const chosen = (pool: ReturnType<typeof poolOf>, times: number, now = 0, random = calm) =>
  Array.from({ length: times }, () => choose(pool, now, random)?.id ?? '-').join('')

describe('choose', () => {
  test('round-robin: one after another', () => {
    expect(chosen(poolWith('round-robin'), 7)).toBe('abcabca')
  })

  test('least-busy: the one with the fewest requests in flight, in turn where they are alike', () => {
    const pool = poolWith('least-busy')
    expect(chosen(pool, 6)).toBe('abcabc')
    const [, b] = pool.members
    release(b!)
    release(b!)
    expect(chosen(pool, 3)).toBe('bbc')
  })

  test('fastest: each is measured first, then the one that answers soonest, as long as few are there already', () => {
    const pool = poolWith('fastest')
    for (const [id, firstByteMs] of Object.entries({ a: 300, b: 99, c: 200 })) {
      const member = choose(pool, 0, calm)!
      expect(member.id).toBe(id)
      report(pool, member, { ok: true, status: 200, firstByteMs }, 1)
      release(member)
    }
    // b costs 100, 200, then 300; c costs 201.
    expect(chosen(pool, 4)).toBe('bbcb')
  })

  test('fastest asks another now and then, and so notices who has become faster', () => {
    const pool = poolWith('fastest', ['slow', 'fast'])
    const times: Record<string, number> = { slow: 500, fast: 50 }
    let state = 7
    const random = () => {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31
      return state / 2 ** 31
    }
    const ask = (times_: number) => {
      const count: Record<string, number> = { slow: 0, fast: 0 }
      for (let round = 0; round < times_; round++) {
        const member = choose(pool, round, random)!
        count[member.id]!++
        report(pool, member, { ok: true, status: 200, firstByteMs: times[member.id]! }, round)
        release(member)
      }
      return count
    }
    expect(ask(1_000).fast).toBeGreaterThan(900)
    Object.assign(times, { slow: 10, fast: 400 })
    expect(ask(1_000).slow).toBeGreaterThan(800)
  })

  test.each(strategies)(
    '%s: one that has failed is passed over while it cools down, unless there is no other',
    strategy => {
      const pool = poolWith(strategy, ['a', 'b'])
      const first = choose(pool, 0, calm)!
      report(pool, first, { ok: false, status: 500 }, 0)
      release(first)
      const second = choose(pool, 1, calm)!
      expect(second.id).not.toBe(first.id)
      // Twice b, for a cools down.
      expect(choose(pool, 2, calm)).toBe(second)
      report(pool, second, { ok: false, status: 429, retryAfterMs: 60_000 }, 2)
      expect(choose(pool, 3, calm)).toBe(first)
      expect(choose(pool, 3, calm, new Set([first]))).toBe(second)
      expect(choose(pool, 3, calm, new Set([first, second]))).toBeUndefined()
    },
  )

  test('an open circuit is never asked; when all are open it says for how long', () => {
    const pool = poolWith('round-robin', ['a', 'b'])
    const [a, b] = pool.members as [Member, Member]
    const fail = (member: Member, now: number) => {
      for (let count = 0; count < 5; count++) report(pool, member, { ok: false }, now)
    }
    fail(a, 0)
    expect(chosen(pool, 3, 10)).toBe('bbb')
    fail(b, 1_000)
    expect(choose(pool, 1_001, calm)).toBeUndefined()
    expect(waitOf(pool, 1_001)).toBe(13_999)
    // One trial, and then nobody until it is known how that went.
    expect(chosen(pool, 2, 15_000)).toBe('a-')
    expect(waitOf(pool, 15_000)).toBeGreaterThan(0)
    report(pool, a, { ok: true, status: 200 }, 15_100)
    expect(waitOf(pool, 15_100)).toBe(0)
    expect(chosen(pool, 2, 15_100)).toBe('aa')
  })

  test('nobody in the pool: nobody is chosen', () => {
    expect(choose(poolWith('fastest', []), 0, calm)).toBeUndefined()
  })
})

describe('Pools', () => {
  test('a pool goes on as it is; members that stay keep what is known of them', () => {
    const pools = new Pools()
    const pool = pools.of('g/openai', ['a', 'b'], 'least-busy')
    expect(pools.of('g/openai', ['a', 'b'], 'least-busy')).toBe(pool)
    const first = choose(pool, 0, calm)!
    report(pool, first, { ok: false }, 0)
    const changed = pools.of('g/openai', ['c', 'a'], 'least-busy')
    expect(changed.members.map(({ id }) => id)).toEqual(['c', 'a'])
    expect(changed.members[1]!.health).toBe(first.health)
    expect(pools.of('g/openai', ['c', 'a'], 'fastest').members[1]!.health).toBe(first.health)
  })

  test('more than the bound: the one that was longest not asked for is forgotten', () => {
    const pools = new Pools(usualHealth, 2)
    const one = pools.of('1', ['a'], 'fastest')
    const two = pools.of('2', ['a'], 'fastest')
    pools.of('1', ['a'], 'fastest')
    pools.of('3', ['a'], 'fastest')
    expect(pools.size).toBe(2)
    expect(pools.of('1', ['a'], 'fastest')).toBe(one)
    expect(pools.of('2', ['a'], 'fastest')).not.toBe(two)
  })
})
