import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { PercentageNode } from '../../../src/gateway/routes/graph.ts'
import { branchAt, branchesOf, pointOf } from '../../../src/gateway/routes/percentage.ts'
import { facts, graphOf, model, start } from './samples.ts'

/** Numbers from 0 to below 1 that are the same in every run. */
function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function splitting(shares: Record<string, string>, sticky?: string, id = 'p'): PercentageNode {
  const targets = [...new Set(Object.values(shares))]
  return graphOf([
    start(id),
    { id, type: 'percentage', ...(sticky && { properties: { sticky } }), outputs: shares },
    ...targets.map(target => model(target)),
    { id: 'end', type: 'end' },
  ]).nodes[1] as PercentageNode
}

/** How many of many requests went where, in percent. */
function spread(node: PercentageNode, times: number, request: (n: number) => ReturnType<typeof facts>) {
  const random = seeded(42)
  const counts: Record<string, number> = {}
  for (let n = 0; n < times; n++) {
    const { output } = branchAt(node.branches, pointOf(node, request(n), random))
    counts[output] = (counts[output] ?? 0) + 100 / times
  }
  return counts
}

const user = (n: number) => facts({ metadata: { user_id: `user-${n}` } })

describe('shares', () => {
  test('property: requests are spread as the shares say, by chance and by a key', () => {
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: 99 }), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(cuts, fc.constantFrom(undefined, 'metadata.user_id'), (places, sticky) => {
        const sorted = [0, ...places.toSorted((a, b) => a - b), 100]
        const wanted = sorted.slice(1).map((place, at) => place - sorted[at]!)
        // Equal shares are told apart by zeros.
        const shares = Object.fromEntries(wanted.map((share, at) => [`${share}.0${'0'.repeat(at)}%`, `m${at}`]))
        const counts = spread(splitting(shares, sticky), 4_000, user)
        for (const [at, output] of Object.keys(shares).entries())
          expect(Math.abs((counts[output] ?? 0) - wanted[at]!)).toBeLessThan(4)
      }),
      { numRuns: 30, seed: 1 },
    )
  })

  test('none goes where the share is 0, all where it is 100', () => {
    expect(spread(splitting({ '0%': 'a', '100%': 'b' }), 500, user)).toEqual({ '100%': expect.closeTo(100) })
    expect(spread(splitting({ '100%': 'a', else: 'b' }), 500, user)).toEqual({ '100%': expect.closeTo(100) })
  })

  test('what tenths leave over belongs to somebody', () => {
    const branches = branchesOf(['33.333333%', '33.3333333%', '33.3333334%', '0%'])
    if (typeof branches === 'string') throw new Error(branches)
    expect(branchAt(branches, 99.999_999_99).output).toBe('33.3333334%')
  })
})

describe('sticky', () => {
  const half = { '50%': 'a', else: 'b' }
  const outputsOf = (node: PercentageNode, count = 400) =>
    Array.from(
      { length: count },
      (_, n) =>
        branchAt(
          node.branches,
          pointOf(node, user(n), () => 0),
        ).output,
    )

  test('the same value always goes the same way, in every process', () => {
    const first = outputsOf(splitting(half, 'metadata.user_id'))
    expect(outputsOf(splitting(half, 'metadata.user_id'))).toEqual(first)
    // Written down, so that a change of the hash is noticed: it would send people elsewhere.
    expect(
      first
        .slice(0, 12)
        .map(output => output[0])
        .join(''),
    ).toMatchInlineSnapshot(`"55e5ee555e55"`)
  })

  test('a first share that grows keeps whom it had', () => {
    const few = outputsOf(splitting({ '10%': 'a', else: 'b' }, 'metadata.user_id'))
    const more = outputsOf(splitting({ '30%': 'a', else: 'b' }, 'metadata.user_id'))
    for (const [n, output] of few.entries()) if (output === '10%') expect(more[n]).toBe('30%')
    expect(few.filter(output => output === '10%').length).toBeGreaterThan(20)
  })

  test('two elements draw apart from each other', () => {
    const one = outputsOf(splitting(half, 'metadata.user_id', 'one'), 2_000)
    const other = outputsOf(splitting(half, 'metadata.user_id', 'other'), 2_000)
    const alike = one.filter((output, n) => output === other[n]).length
    expect(Math.abs(alike - 1_000)).toBeLessThan(100)
  })

  test('by a header, whatever its case, and by a number', () => {
    const byHeader = splitting(half, 'headers.X-User')
    const byNumber = splitting(half, 'metadata.n')
    const header = facts({ headers: { 'x-user': '17' } })
    expect(pointOf(byHeader, header, () => 0.5)).toBe(pointOf(byNumber, facts({ metadata: { n: 17 } }), () => 0.5))
    expect(pointOf(byHeader, header, () => 0.5)).not.toBe(50)
  })

  test('where the field is missing, or is no single value, chance decides', () => {
    const node = splitting(half, 'metadata.user_id')
    for (const metadata of [{}, { user_id: null }, { user_id: ['x'] }])
      expect(pointOf(node, facts({ metadata }), () => 0.25)).toBe(25)
  })
})
