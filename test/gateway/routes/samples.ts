import fc from 'fast-check'
import type { Facts } from '../../../src/gateway/routes/field.ts'
import type { Graph } from '../../../src/gateway/routes/graph.ts'
import { readGraph } from '../../../src/gateway/routes/read-graph.ts'

/** A request of which a route may ask. */
export const facts = (said: { body?: unknown; headers?: Record<string, string>; metadata?: object } = {}): Facts => {
  const headers = new Headers(said.headers)
  return {
    body: said.body ?? {},
    header: name => headers.get(name),
    metadata: (said.metadata ?? {}) as Record<string, unknown>,
  }
}

/** The graph of elements that are right. */
export function graphOf(elements: unknown): Graph {
  const read = readGraph(elements)
  if ('problems' in read) throw new Error(read.problems.map(({ message }) => message).join('\n'))
  return read.graph
}

export const to = (elementId: string) => ({ elementId })

export const start = (next: string) => ({ id: 'start', type: 'start', outputs: { next: to(next) } })
export const end = { id: 'end', type: 'end', outputs: {} }
export const model = (id: string, success = 'end', fallback = 'end', properties: object = {}) => ({
  id,
  type: 'model',
  properties: { provider: 'openai', model: `${id}-1`, timeout: 1_000, retries: 1, ...properties },
  outputs: { success: to(success), fallback: to(fallback) },
})

/** The example of contract section 7.4. */
export const support = [
  { id: 's', type: 'start', outputs: { next: { elementId: 'c' } } },
  {
    id: 'c',
    type: 'conditional',
    properties: { conditions: { 'metadata.plan': { $eq: 'paid' } } },
    outputs: { true: { elementId: 'r' }, false: { elementId: 'p' } },
  },
  {
    id: 'r',
    type: 'rate',
    properties: { limitType: 'cost', key: 'metadata.user_id', limit: 5, window: 86_400 },
    outputs: { success: { elementId: 'big' }, fallback: { elementId: 'small' } },
  },
  { id: 'p', type: 'percentage', outputs: { '20%': { elementId: 'big' }, '80%': { elementId: 'small' } } },
  {
    id: 'big',
    type: 'model',
    properties: { provider: 'anthropic', model: 'claude-sonnet-4-5', timeout: 20_000, retries: 2 },
    outputs: { success: { elementId: 'e' }, fallback: { elementId: 'small' } },
  },
  {
    id: 'small',
    type: 'model',
    properties: { provider: 'workers-ai', model: '@cf/meta/llama-3.1-8b-instruct', timeout: 10_000, retries: 1 },
    outputs: { success: { elementId: 'e' }, fallback: { elementId: 'e' } },
  },
  { id: 'e', type: 'end', outputs: {} },
]

const shares = [
  ['100%'],
  ['20%', '80%'],
  ['0%', '100%'],
  ['50%', '50.0%'],
  ['33.3%', '33.3000%', '33.4%'],
  ['10%', 'else'],
  ['50%', 'else'],
  ['20%', '20.0%', '20.00%', '20.000%', '20.0000%'],
  ['5%', '10%', '15%', '20%', '25%', 'else'],
]

/**
 * Any valid graph, in new names and old. Every element leads only to those behind it, and each that nothing else leads
 * to is led to by the one before it, so that there is no circle and nothing out of reach.
 */
export const elements = fc
  .array(
    fc.record({
      kind: fc.constantFrom('conditional', 'percentage', 'rate', 'rate_limit', 'model'),
      shares: fc.constantFrom(...shares),
      jumps: fc.array(fc.nat(12), { minLength: 6, maxLength: 6 }),
      flag: fc.boolean(),
      other: fc.boolean(),
    }),
    { maxLength: 25 },
  )
  .chain(plans => fc.tuple(fc.constant(plans), fc.shuffledSubarray([...plans.keys()], { minLength: plans.length })))
  .map(([plans, order]) => {
    const last = plans.length
    const id = (place: number) => (place >= last ? 'end' : `n${place}`)
    const written = plans.map(({ kind, shares, jumps, flag, other }, place) => {
      // The first output leads to the next element, which keeps all in reach.
      const next = (which: number) => {
        const target = id(place + 1 + (which ? jumps[which]! : 0))
        return flag ? { elementId: target } : target
      }
      if (kind === 'conditional') {
        const query = other ? { 'metadata.plan': 'paid' } : { $or: [{ 'body.n': { $gt: 3 } }, { 'headers.x-a': 'b' }] }
        return {
          id: id(place),
          type: kind,
          properties: { [flag ? 'condition' : 'conditions']: query },
          outputs: { true: next(0), false: next(1) },
        }
      }
      if (kind === 'percentage') {
        return {
          id: id(place),
          type: kind,
          ...(flag && { properties: { sticky: 'metadata.user_id' } }),
          outputs: Object.fromEntries(shares.map((share, which) => [share, next(which)])),
        }
      }
      const outcomes = other ? { success: next(0), fallback: next(1) } : { success: next(0) }
      if (kind === 'model') {
        const properties = { provider: 'openai', model: `m${place}`, ...(flag && { timeout: 9_000, retries: 2 }) }
        return { id: id(place), type: kind, properties, outputs: outcomes }
      }
      const properties = {
        limitType: flag ? 'count' : 'cost',
        ...(other && { key: 'headers.x-user' }),
        limit: flag ? 3 : 0.25,
        ...(kind === 'rate' ? { window: 60 } : { interval: 60, technique: 'fixed' }),
      }
      return { id: id(place), type: kind, properties, outputs: outcomes }
    })
    return [start(id(0)), ...order.map(place => written[place]!), { id: 'end', type: 'end' }]
  })
