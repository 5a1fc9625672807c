import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { Graph, Node, StartNode } from '../../../src/gateway/routes/graph.ts'
import { type Means, type Stop, walk } from '../../../src/gateway/routes/walk.ts'
import { elements, end, facts, graphOf, model, start, support, to } from './samples.ts'

const open: Means = { allow: () => true, random: () => 0.5 }

/** Walks to the end; each model does as it is told, the last as often as need be. */
async function walked(
  graph: Graph,
  request = facts(),
  means = open,
  outcomes: ('success' | 'fallback')[] = ['success'],
) {
  const way = walk(graph, request, means)
  const asked: string[] = []
  let stop: Stop = await way.next()
  while (stop.type === 'model') {
    expect(stop.step).toBe(asked.length)
    asked.push(stop.node.id)
    stop = await way.next(outcomes[asked.length - 1] ?? outcomes.at(-1)!)
  }
  return { asked, stop, trace: way.trace }
}

const paid = facts({ metadata: { plan: 'paid', user_id: 'u1' } })

describe('walk', () => {
  const graph = graphOf(support)

  test('the example of the contract: who pays gets the big model, as long as there is money', async () => {
    expect((await walked(graph, paid)).asked).toEqual(['big'])
    expect((await walked(graph, paid, { allow: () => false })).asked).toEqual(['small'])
    expect((await walked(graph, paid, open, ['fallback', 'success'])).asked).toEqual(['big', 'small'])
    expect((await walked(graph, paid, open, ['fallback'])).asked).toEqual(['big', 'small'])
    expect((await walked(graph, facts(), { ...open, random: () => 0.19 })).asked).toEqual(['big'])
    expect((await walked(graph, facts(), { ...open, random: () => 0.2 })).asked).toEqual(['small'])
  })

  test('the stop holds what is to be asked', () => {
    const stop = walk(graph, paid, open).next()
    expect(stop).toMatchObject({
      type: 'model',
      step: 0,
      node: { id: 'big', provider: 'anthropic', model: 'claude-sonnet-4-5', timeout: 20_000, retries: 2 },
    })
  })

  test('it answers at once where no limit has to be waited for, and waits where one has to', async () => {
    expect(walk(graph, paid, open).next()).not.toBeInstanceOf(Promise)
    const waiting = walk(graph, paid, { ...open, allow: async () => true }).next()
    expect(waiting).toBeInstanceOf(Promise)
    expect(await waiting).toMatchObject({ type: 'model', node: { id: 'big' } })
  })

  test('what a limit throws is thrown', async () => {
    const broken = walk(graph, paid, { allow: () => Promise.reject(new Error('gone')) })
    expect(broken.next()).rejects.toThrow('gone')
  })

  test('after the end it stays at the end; at a model it wants to know how that did', async () => {
    const way = walk(graph, paid, open)
    way.next()
    expect(() => way.next()).toThrow('say how it did')
    expect(way.next('success')).toEqual({ type: 'end' })
    expect(way.next()).toEqual({ type: 'end' })
    expect(way.next('fallback')).toEqual({ type: 'end' })
    expect(way.trace).toHaveLength(4)
  })

  test('a fallback that is missing ends the route', async () => {
    const lone = graphOf([start('a'), { ...model('a'), outputs: { success: to('b') } }, model('b'), end])
    const failed = await walked(lone, facts(), open, ['fallback'])
    expect(failed.asked).toEqual(['a'])
    expect(failed.stop).toEqual({ type: 'end' })
    expect(failed.trace.at(-1)).toEqual({ node: 'a', type: 'model', output: 'end', why: 'the model failed' })
    expect((await walked(lone)).asked).toEqual(['a', 'b'])
  })

  test('a limit that ends the route is named, unless a model was asked behind it', async () => {
    const limited = (fallback: object) =>
      graphOf([
        start('r'),
        {
          id: 'r',
          type: 'rate',
          properties: { limitType: 'count', limit: 1, window: 60 },
          outputs: { success: to('a'), ...fallback },
        },
        model('a'),
        end,
      ])
    const refuse: Means = { allow: () => false }
    for (const graph of [limited({}), limited({ fallback: to('end') })])
      expect((await walked(graph, facts(), refuse)).stop).toMatchObject({ type: 'end', limited: { id: 'r' } })
    expect((await walked(limited({ fallback: to('a') }), facts(), refuse)).stop).toEqual({ type: 'end' })
  })

  test('the counter that is asked for: one for each value, one for all who have none', async () => {
    const buckets: [string, string][] = []
    const allow: Means['allow'] = ({ id }, bucket) => {
      buckets.push([id, bucket])
      return true
    }
    const long = 'x'.repeat(5_000)
    for (const metadata of [
      { user_id: 'alice' },
      { user_id: 7 },
      { user_id: '' },
      { user_id: long },
      {},
      { user_id: null },
      { user_id: ['alice'] },
    ])
      await walked(graph, facts({ metadata: { plan: 'paid', ...metadata } }), { allow })
    expect(buckets.map(([id]) => id)).toEqual(Array(7).fill('r'))
    const [alice, seven, none, hashed, ...shared] = buckets.map(([, bucket]) => bucket)
    expect([alice, seven, none]).toEqual(['=alice', '=7', '='])
    expect(hashed).toMatch(/^#[0-9a-f]{64}$/)
    expect(shared).toEqual(['', '', ''])
  })

  test('a way round in a circle, which no reading lets through, is walked once', async () => {
    const hollow = { type: 'start', id: 's' } as StartNode
    hollow.outputs = { next: hollow as Node }
    expect((await walked({ start: hollow, nodes: [hollow] })).stop).toEqual({ type: 'end' })
  })

  test('property: every valid graph comes to its end, asks no model twice, and says each turn', async () => {
    const outcome = fc.constantFrom<'success' | 'fallback'>('success', 'fallback')
    await fc.assert(
      fc.asyncProperty(
        elements,
        fc.array(outcome, { minLength: 1, maxLength: 8 }),
        fc.array(fc.tuple(fc.boolean(), fc.boolean()), { minLength: 1, maxLength: 8 }),
        fc.double({ min: 0, max: 0.999_999, noNaN: true }),
        fc.boolean(),
        async (list, outcomes, limits, draw, explain) => {
          const graph = graphOf(list)
          let asked = 0
          const { asked: models, trace } = await walked(
            graph,
            paid,
            {
              random: () => draw,
              explain,
              allow: () => {
                const [allowed, later] = limits[asked++ % limits.length]!
                return later ? Promise.resolve(allowed) : allowed
              },
            },
            outcomes,
          )
          expect(new Set(models).size).toBe(models.length)
          // Each turn leads to where the next one is taken.
          let at: Node = graph.start
          for (const turn of trace) {
            expect(turn.node).toBe(at.id)
            expect(turn.why).not.toBe('')
            if (turn.output === 'end') return expect(turn).toBe(trace.at(-1)!)
            at = (at.outputs as Record<string, Node>)[turn.output]!
          }
          expect(at.type).toBe('end')
        },
      ),
      { numRuns: 200 },
    )
  })
})

describe('the trace', () => {
  const graph = graphOf(support)

  test('short, for the log', async () => {
    const { trace } = await walked(graph, paid, { ...open, allow: () => false })
    expect(trace.map(({ node, output, why }) => `${node} → ${output}: ${why}`)).toEqual([
      's → next: the start',
      'c → true: the conditions hold',
      'r → fallback: over the budget by metadata.user_id',
      'small → success: the model answered',
    ])
  })

  test('with reasons, for a person, and without values of the request', async () => {
    const secret = facts({ metadata: { plan: 'hunter2' }, body: { prompt: 'hunter2' } })
    const { trace } = await walked(graph, secret, { ...open, explain: true })
    expect(trace.map(({ why }) => why).slice(1, 3)).toEqual([
      'metadata.plan $eq does not hold',
      'by chance, at 50.00 of 100',
    ])
    expect(JSON.stringify(trace)).not.toContain('hunter2')
  })
})
