import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { Records, StoredRecord } from '../../../src/storage/records/index.ts'
import { FILTER_KEYS, OPERATORS, ORDERS, type Order, type RecordFilter } from '../../../src/storage/records/index.ts'
import type { AttemptRecord } from '../../../src/telemetry/attempt-record.ts'
import { closeDatabases, eachDatabase, migrated } from '../../support/databases.ts'
import { attempt, costOf, kept } from './support.ts'

const START = Date.parse('2026-11-02T10:00:00Z')
const NUMERIC = new Set(['cost', 'tokens', 'tokens_in', 'tokens_out', 'duration', 'feedback', 'status_code'])
const TRUTHS = new Set(['success', 'cached', 'authentication', 'compatibilityMode', 'wholesale'])

/** What a record says to a filter, as contract section 8.2 has it, on plain objects. */
function said(record: StoredRecord, key: RecordFilter['key']): string | number | boolean | null {
  const tokens =
    record.tokensIn === undefined || record.tokensOut === undefined ? null : record.tokensIn + record.tokensOut
  const words: Partial<Record<RecordFilter['key'], string | number | boolean | null | undefined>> = {
    id: record.id,
    created_at: record.at,
    request_content_type: record.requestType,
    response_content_type: record.answerType,
    request_type: record.requestKind,
    success: record.success,
    cached: record.cached,
    provider: record.provider,
    model: record.model,
    model_type: record.modelType,
    cost: record.cost === undefined ? null : record.cost / 1e12,
    tokens,
    tokens_in: record.tokensIn,
    tokens_out: record.tokensOut,
    duration: record.duration,
    feedback: record.feedback,
    event_id: record.event,
    authentication: record.token !== undefined,
    compatibilityMode: record.surface === 'compat',
    wholesale: false,
    user_agent: record.userAgent,
    status_code: record.status,
    error: record.error?.code,
    path: record.path,
    token: record.token,
    key: record.key?.alias,
  }
  return words[key] ?? null
}

function fits(record: StoredRecord, { key, operator, value }: RecordFilter): boolean {
  const held = said(record, key)
  const same = (one: unknown) => {
    if (one === null) return held === null
    if (held === null) return false
    if (key === 'created_at') return held === Date.parse(String(one))
    if (key === 'cost') return Math.round(Number(held) * 1e12) === Math.round(Number(one) * 1e12)
    return NUMERIC.has(key) ? held === Number(one) : String(held) === String(one)
  }
  if (operator === 'eq') return value.some(same)
  if (operator === 'neq') return !value.some(same)
  if (held === null) return false
  return value.some(one => {
    if (one === null) return false
    if (operator === 'contains')
      return key === 'created_at'
        ? new Date(held as number).toISOString().includes(String(one))
        : String(held).toLowerCase().includes(String(one).toLowerCase())
    const other = key === 'created_at' ? Date.parse(String(one)) : NUMERIC.has(key) ? Number(one) : String(one)
    return operator === 'lt' ? held < other : held > other
  })
}

const sortKey: Record<Order, (record: StoredRecord) => string | number | boolean | null> = {
  created_at: record => record.at,
  provider: record => record.provider ?? null,
  model: record => record.model ?? null,
  model_type: record => record.modelType ?? null,
  success: record => record.success,
  cached: record => record.cached,
  cost: record => record.cost ?? null,
  tokens_in: record => record.tokensIn ?? null,
  tokens_out: record => record.tokensOut ?? null,
  duration: record => record.duration,
  feedback: record => record.feedback ?? null,
}

/** As many as fill two blocks and leave some over. */
const COUNT = 2_500

function made(index: number, random: () => number): AttemptRecord {
  const of = <T>(...list: T[]) => list[Math.floor(random() * list.length)]!
  const usage = {
    input: Math.floor(random() * 50),
    output: Math.floor(random() * 9),
    source: of('reported', 'estimated') as 'reported',
  }
  return attempt({
    at: START + Math.floor(index / 3) * 1000 - of(0, 0, 5_000),
    provider: of('openai', 'anthropic', undefined),
    model: of('gpt-5.2', 'claude-sonnet-4-5', 'GPT-mini', undefined),
    path: of('/compat/chat/completions', '/openai/embeddings', '/weird'),
    status: of(200, 200, 200, 429, 500),
    cached: of(false, false, true),
    duration: Math.floor(random() * 200) / 10,
    usage: of(usage, usage, undefined),
    cost: of(costOf(Math.floor(random() * 5) * 1_000_000), undefined),
    token: of('laptop', 'phone', undefined),
    key: of({ of: 'store', alias: 'research' }, undefined),
    userAgent: of('curl/8', 'OpenAI/JS 6.1', undefined),
    requestType: of('application/json', undefined),
    metadata: of<AttemptRecord['metadata']>(
      { team: 'search', user: Math.floor(random() * 4) },
      { team: 'ads' },
      { Note: 'searching 100%_' },
      undefined,
    ),
    surface: of('compat', 'native'),
    error: of({ code: 'upstream_closed' }, undefined),
  })
}

const value = (key: RecordFilter['key']): fc.Arbitrary<string | number | boolean | null> => {
  if (TRUTHS.has(key)) return fc.oneof(fc.boolean(), fc.constantFrom('true', 'false'))
  if (key === 'created_at') return fc.integer({ min: -10, max: 900 }).map(s => new Date(START + s * 1000).toISOString())
  if (key === 'cost') return fc.constantFrom(0, '0.000001', 0.000002, null)
  if (key === 'status_code') return fc.constantFrom(200, '429', 500)
  if (NUMERIC.has(key)) return fc.oneof(fc.integer({ min: 0, max: 40 }), fc.constantFrom('3', '7.5', null))
  return fc.constantFrom(
    'openai',
    'gpt',
    'text-generation',
    'application/json',
    'curl',
    'laptop',
    'a',
    'chat',
    '%',
    null,
  )
}
const filter: fc.Arbitrary<RecordFilter> = fc
  .tuple(
    fc.constantFrom(...FILTER_KEYS.filter(key => !key.startsWith('metadata') && key !== 'dlp_action')),
    fc.constantFrom(...OPERATORS),
  )
  .filter(([key, operator]) => !(TRUTHS.has(key) && operator !== 'eq' && operator !== 'neq'))
  // A number's text is asked for rarely, and told in the units of the column.
  .filter(([key, operator]) => !(operator === 'contains' && NUMERIC.has(key)))
  .chain(([key, operator]) =>
    fc
      .array(operator === 'eq' || operator === 'neq' ? value(key) : value(key).filter(one => one !== null), {
        minLength: 1,
        maxLength: 3,
      })
      .map(value => ({ key, operator, value })),
  )

afterAll(closeDatabases)

describe.each(eachDatabase)('queries in %s', (_, kind) => {
  let records: Records
  let all: StoredRecord[]

  beforeAll(async () => {
    records = await kept(await migrated(kind))
    let seed = 42
    const random = () => {
      seed = (seed * 16_807) % 2_147_483_647
      return seed / 2_147_483_647
    }
    const put = Array.from({ length: COUNT }, (_, index) => made(index, random))
    for (const one of put) records.put(one)
    await records.flush()
    for (const [index, { id }] of put.entries())
      if (index % 50 === 0) await records.patch('default', id, { feedback: (index / 50) % 3 === 0 ? 1 : -1 })
    all = (await records.after('default', 0, COUNT + 1)).records
    expect(all.map(({ id }) => id)).toEqual(put.map(({ id }) => id))
  })
  afterAll(() => records.close())

  test('find, sort, count and page as the same on plain objects', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(filter, { maxLength: 3 }),
        fc.constantFrom(...ORDERS),
        fc.constantFrom('asc' as const, 'desc' as const),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 50 }),
        async (filters, orderBy, direction, page, perPage) => {
          const told = await records.list('default', { filters, orderBy, direction, page, perPage, metaInfo: true })
          const sign = direction === 'asc' ? 1 : -1
          const order = sortKey[orderBy]
          const expected = all
            .map((record, index) => ({ record, index }))
            .filter(({ record }) => filters.every(filter => fits(record, filter)))
            .sort((a, b) => {
              const [one, other] = [order(a.record), order(b.record)]
              if (one === other) return sign * (a.index - b.index)
              if (one === null) return 1
              if (other === null) return -1
              return sign * (one < other ? -1 : 1)
            })
            .map(({ record }) => record)
          expect(told.total).toBe(expected.length)
          expect(told.records.map(({ id }) => id)).toEqual(
            expected.slice((page - 1) * perPage, page * perPage).map(({ id }) => id),
          )
          const costs = expected.map(({ cost }) => cost).filter(cost => cost !== undefined)
          expect(told.metaInfo!.cost).toEqual(
            costs.length ? { min: Math.min(...costs), max: Math.max(...costs) } : undefined,
          )
          const durations = expected.map(({ duration }) => duration)
          expect(told.metaInfo!.duration).toEqual(
            durations.length ? { min: Math.min(...durations), max: Math.max(...durations) } : undefined,
          )
        },
      ),
      { numRuns: kind.kind === 'sqlite' ? 300 : 100 },
    )
  })

  test.each([
    ['a key', [{ key: 'metadata.key', operator: 'eq', value: ['user'] }], (m: Words) => m !== undefined && 'user' in m],
    [
      'a value',
      [{ key: 'metadata.value', operator: 'eq', value: ['ads', 3] }],
      (m: Words) => m?.team === 'ads' || m?.user === 3,
    ],
    [
      'a key and a value of one entry',
      [
        { key: 'metadata.key', operator: 'eq', value: ['user'] },
        { key: 'metadata.value', operator: 'eq', value: ['2'] },
      ],
      (m: Words) => m?.user === 2,
    ],
    [
      'an entry that is not there',
      [
        { key: 'metadata.key', operator: 'eq', value: ['team'] },
        { key: 'metadata.value', operator: 'eq', value: ['2'] },
      ],
      () => false,
    ],
    [
      'no such value',
      [{ key: 'metadata.value', operator: 'neq', value: ['search'] }],
      (m: Words) => m?.team !== 'search',
    ],
    [
      'a part of a value',
      [{ key: 'metadata.value', operator: 'contains', value: ['%_'] }],
      (m: Words) => m !== undefined && 'Note' in m,
    ],
  ] satisfies [string, RecordFilter[], (metadata: Words) => boolean][])(
    'by %s of the metadata',
    async (_, filters, fits) => {
      const { total } = await records.list('default', { filters })
      expect(total).toBe(all.filter(({ metadata }) => fits(metadata)).length)
    },
  )

  test('search goes over keys and values, in capital letters or small', async () => {
    const count = async (search: string) => (await records.list('default', { search })).total
    expect(await count('SEARCH')).toBe(
      all.filter(({ metadata }) => metadata && ('Note' in metadata || metadata.team === 'search')).length,
    )
    expect(await count('note')).toBe(all.filter(({ metadata }) => metadata && 'Note' in metadata).length)
    expect(await count('nowhere')).toBe(0)
  })

  test('values of filters are never part of a statement', async () => {
    const evil = "x'; DROP TABLE records; --"
    for (const key of FILTER_KEYS) {
      const filters: RecordFilter[] = [{ key, operator: 'eq', value: [evil] }]
      await records.list('default', { filters, search: evil }).catch(() => {})
    }
    expect((await records.list('default')).total).toBe(COUNT)
  })
})

type Words = StoredRecord['metadata']
