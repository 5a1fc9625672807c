import { describe, expect, test } from 'bun:test'
import { fileJsonSchema } from '../../src/config/json-schema.ts'

interface Node {
  type?: string
  enum?: unknown[]
  anyOf?: Node[]
  pattern?: string
  description?: string
  default?: unknown
  properties?: Record<string, Node>
  patternProperties?: Record<string, Node>
  additionalProperties?: boolean | Node
  propertyNames?: { enum: string[] }
  items?: Node
  expected?: string
}

/** The schema at the end of the steps; `*` is any member of a mapping or list. */
function at(...steps: string[]): Node {
  let node = fileJsonSchema() as Node
  for (const step of steps) {
    const candidates = [node, ...(node.anyOf ?? [])]
    const next = candidates
      .map(one => {
        if (step !== '*') return one.properties?.[step]
        const free = typeof one.additionalProperties === 'object' ? one.additionalProperties : undefined
        return one.items ?? free ?? Object.values(one.patternProperties ?? {})[0]
      })
      .find(Boolean)
    if (!next) throw new Error(`no schema at ${steps.join('.')}`)
    node = next
  }
  return node
}

/** Whether a scalar passes, by the few rules that the schema uses. */
function allows(node: Node, value: unknown): boolean {
  if (node.anyOf) return node.anyOf.some(one => allows(one, value))
  if (node.enum) return node.enum.includes(value)
  if (node.type === 'null') return value === null
  if (node.type === 'integer') return Number.isInteger(value)
  if (node.type !== typeof value) return false
  return node.pattern === undefined || new RegExp(node.pattern).test(String(value))
}

describe('the JSON Schema for editors', () => {
  test('a reference may stand for a number, a truth value, a word and an address', () => {
    const reference = '$'.concat('{NAME:-1}')
    for (const steps of [
      ['server', 'port'],
      ['gateways', '*', 'authentication'],
      ['gateways', '*', 'cache_ttl'],
      ['gateways', '*', 'rate_limiting_technique'],
      ['log', 'level'],
      ['providers', '*', 'base_url'],
      ['tokens', '*', 'permissions', '*'],
      ['account'],
    ]) {
      expect([steps, allows(at(...steps), reference), allows(at(...steps), 'no such thing')]).toEqual([
        steps,
        true,
        false,
      ])
    }
  })

  test('plain values pass as they do in the file', () => {
    expect(allows(at('server', 'port'), 8787)).toBe(true)
    expect(allows(at('gateways', '*', 'cache_ttl'), null)).toBe(true)
    expect(allows(at('gateways', '*', 'retry_backoff'), 'linear')).toBe(true)
    expect(allows(at('gateways', '*', 'retry_backoff'), null)).toBe(true)
    expect(allows(at('custom_providers', '*', 'dialect'), 'ollama-chat')).toBe(true)
  })

  test('descriptions and defaults stand where editors look for them', () => {
    expect(at('server', 'port')).toMatchObject({ default: 8787, description: expect.any(String) })
    expect(at('gateways', '*', 'cache_ttl').description).toContain('Seconds')
    expect(at('log', 'level').default).toBe('info')
  })

  test('no mapping with known keys allows others, and none of our own keywords is left', () => {
    let mappings = 0
    const walk = (node: unknown): void => {
      if (typeof node !== 'object' || node === null) return
      const one = node as Node
      if (one.type === 'object') {
        mappings++
        if (one.properties) expect(one.additionalProperties).toBe(false)
      }
      for (const child of Object.values(node)) walk(child)
    }
    const schema = fileJsonSchema()
    walk(schema)
    expect(mappings).toBeGreaterThan(15)
    expect(JSON.stringify(schema)).not.toContain('"expected":')
  })

  test('editors offer the providers that are known', () => {
    const schema = fileJsonSchema(['openai', 'ollama']) as Node
    expect(schema.properties?.providers?.propertyNames?.enum).toEqual(['openai', 'ollama'])
    expect(at('providers').propertyNames).toBeUndefined()
  })
})
