import { afterEach, describe, expect, test } from 'bun:test'
import { RecordQueryFault } from '../../../src/storage/records/index.ts'
import { closeDatabases, eachDatabase, migrated } from '../../support/databases.ts'
import { attempt, costOf, kept } from './support.ts'

afterEach(closeDatabases)

describe.each(eachDatabase)('records in %s', (_, kind) => {
  test('gives a record again with all that is known of it', async () => {
    const records = await kept(await migrated(kind))
    const full = attempt({
      event: 'the caller’s own word',
      request: Bun.randomUUIDv7(),
      duration: 1234.56,
      firstByte: 80.04,
      firstWord: 90,
      asked: 'dynamic/support',
      step: 2,
      attempt: 3,
      status: 502,
      stream: true,
      usage: { input: 1000, output: 50, cacheRead: 900, cacheWrite: 7, reasoning: 11, source: 'estimated' },
      cost: costOf(9_007_199_254_740_991),
      customCost: true,
      token: 'laptop',
      key: { of: 'store', alias: 'research' },
      metadata: { team: 'search', user: 7, paying: true, none: null },
      userAgent: 'OpenAI/JS 6.1',
      requestType: 'application/json',
      answerType: 'text/event-stream',
      error: { code: 'upstream_closed', number: 2005 },
      trace: { traceId: 'abc' },
    })
    const bare = attempt({ provider: undefined, model: undefined, status: 401 })
    records.put(full)
    records.put(bare)
    await records.flush()
    expect(await records.get('default', full.id)).toEqual({
      id: full.id,
      event: full.event,
      request: full.request,
      gateway: 'default',
      at: full.at,
      duration: 1234.6,
      firstByte: 80,
      firstWord: 90,
      method: 'POST',
      path: full.path,
      surface: 'compat',
      provider: 'openai',
      model: 'gpt-5.2',
      asked: 'dynamic/support',
      step: 2,
      attempt: 3,
      status: 502,
      success: false,
      stream: true,
      cached: false,
      token: 'laptop',
      key: { of: 'store', alias: 'research' },
      userAgent: 'OpenAI/JS 6.1',
      requestType: 'application/json',
      answerType: 'text/event-stream',
      modelType: 'text-generation',
      requestKind: 'chat',
      tokensIn: 1000,
      tokensOut: 50,
      tokensCached: 900,
      tokensWritten: 7,
      tokensReasoning: 11,
      estimated: true,
      cost: 9_007_199_254_740_991,
      customCost: true,
      metadata: { team: 'search', user: 7, paying: true, none: null },
      requestSize: 100,
      answerSize: 200,
      error: { code: 'upstream_closed', number: 2005 },
      trace: { traceId: 'abc' },
    })
    const told = (await records.get('default', bare.id))!
    expect(told).toMatchObject({ event: bare.id, request: bare.id, status: 401, estimated: false })
    for (const name of ['provider', 'model', 'tokensIn', 'cost', 'metadata', 'token', 'error', 'step'])
      expect(told).not.toHaveProperty(name)
    expect(await records.get('other', full.id)).toBeUndefined()
    expect(await records.get('default', 'no uuid')).toBeUndefined()
    expect(records.drops).toEqual([])
    await records.close()
  })

  test('gives them to whoever opens the database next, and knows their kinds again', async () => {
    const database = await migrated(kind)
    const one = await kept(database)
    one.put(attempt({ metadata: { team: 'a' } }))
    await one.close()
    const two = await kept(database)
    two.put(attempt({ metadata: { team: 'a' } }))
    await two.flush()
    expect((await two.list('default')).total).toBe(2)
    expect(await database.get('SELECT COUNT(*) AS n FROM record_kinds')).toEqual({ n: 1 })
    expect(await database.get('SELECT COUNT(*) AS n FROM record_gateways')).toEqual({ n: 1 })
    await two.close()
  })

  test('keeps the records of gateways apart', async () => {
    const records = await kept(await migrated(kind))
    records.put(attempt({ gateway: 'a' }))
    records.put(attempt({ gateway: 'b' }))
    records.put(attempt({ gateway: 'b' }))
    await records.flush()
    expect((await records.list('a')).total).toBe(1)
    expect((await records.list('b')).records.map(({ gateway }) => gateway)).toEqual(['b', 'b'])
    expect(await records.list('c', { metaInfo: true })).toEqual({ records: [], total: 0, metaInfo: {} })
    expect(await records.counts()).toEqual(
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
    )
    await records.close()
  })

  test('finds a record by its event, whoever named it', async () => {
    const records = await kept(await migrated(kind))
    const request = Bun.randomUUIDv7()
    const own = attempt({ event: 'checkout-17' })
    const plain = attempt()
    const second = attempt({ request, event: request })
    for (const one of [own, plain, second]) records.put(one)
    await records.flush()
    const found = async (value: string) => {
      const filters = [{ key: 'event_id' as const, operator: 'eq' as const, value: [value] }]
      return (await records.list('default', { filters })).records.map(({ id }) => id)
    }
    expect(await found('checkout-17')).toEqual([own.id])
    expect(await found(plain.id)).toEqual([plain.id])
    expect(await found(request)).toEqual([second.id])
    expect(await found(own.id)).toEqual([])
    await records.close()
  })

  test('a page past the end is empty, and the total is told with it', async () => {
    const records = await kept(await migrated(kind))
    for (let i = 0; i < 5; i++) records.put(attempt({ at: 1_790_000_000_000 + i }))
    await records.flush()
    const page = async (page: number) =>
      (await records.list('default', { page, perPage: 2 })).records.map(({ at }) => at % 10)
    expect(await page(1)).toEqual([4, 3])
    expect(await page(3)).toEqual([0])
    expect(await records.list('default', { page: 4, perPage: 2 })).toEqual({ records: [], total: 5 })
    await records.close()
  })

  test('changes what people say of a record, and finds it by that', async () => {
    const records = await kept(await migrated(kind))
    const all = Array.from({ length: 1100 }, (_, i) => attempt({ at: 1_790_000_000_000 + i, metadata: { n: i % 3 } }))
    for (const one of all) records.put(one)
    await records.flush()
    // The first stands in a block by now, the last does not.
    for (const { id } of [all[0]!, all[1099]!]) {
      expect(await records.patch('default', id, { feedback: -1, score: 87.5, metadata: { n: 'changed' } })).toBe(true)
      expect(await records.get('default', id)).toMatchObject({ feedback: -1, score: 87.5, metadata: { n: 'changed' } })
    }
    const by = async (key: 'feedback' | 'metadata.value', value: string | number) =>
      (await records.list('default', { filters: [{ key, operator: 'eq', value: [value] }] })).records.map(
        ({ id }) => id,
      )
    expect(await by('feedback', '-1')).toEqual([all[1099]!.id, all[0]!.id])
    expect(await by('metadata.value', 'changed')).toEqual([all[1099]!.id, all[0]!.id])
    expect(await records.patch('default', all[0]!.id, { feedback: null, metadata: null })).toBe(true)
    expect(await by('feedback', '-1')).toEqual([all[1099]!.id])
    const told = (await records.get('default', all[0]!.id))!
    expect(told).not.toHaveProperty('feedback')
    expect(told).not.toHaveProperty('metadata')
    expect(told.score).toBe(87.5)
    expect(await records.patch('default', Bun.randomUUIDv7(), { feedback: 1 })).toBe(false)
    expect(await records.patch('other', all[0]!.id, { feedback: 1 })).toBe(false)
    await records.close()
  })

  test('follows what comes in the order in which it was written', async () => {
    const records = await kept(await migrated(kind))
    const ids: string[] = []
    let last = 0
    for (let round = 0; round < 3; round++) {
      const put = Array.from({ length: 4 }, () => attempt())
      for (const one of put) records.put(one)
      await records.flush()
      for (;;) {
        const page = await records.after('default', last, 3)
        if (!page.records.length) break
        ids.push(...page.records.map(({ id }) => id))
        last = page.last
      }
      expect(ids.slice(-4)).toEqual(put.map(({ id }) => id))
    }
    expect(ids).toHaveLength(12)
    await records.close()
  })

  test('says which filter makes no sense, and nothing of its values', async () => {
    const records = await kept(await migrated(kind))
    records.put(attempt())
    await records.flush()
    const fault = async (key: 'cost' | 'created_at' | 'success', operator: 'eq' | 'lt', value: string) => {
      const filters = [
        { key: 'cached' as const, operator: 'eq' as const, value: [false] },
        { key, operator, value: [value] },
      ]
      return records.list('default', { filters }).catch((fault: unknown) => fault)
    }
    for (const [key, operator, value] of [
      ['cost', 'lt', 'my secret'],
      ['created_at', 'eq', 'my secret'],
      ['success', 'eq', 'my secret'],
      ['success', 'lt', 'true'],
    ] as const) {
      const told = await fault(key, operator, value)
      expect(told).toBeInstanceOf(RecordQueryFault)
      const { index, message } = told as RecordQueryFault
      expect(index).toBe(1)
      expect(message).toContain(key)
      expect(message).not.toContain('secret')
    }
    await records.close()
  })

  test('counts no record twice when it is told twice', async () => {
    const records = await kept(await migrated(kind))
    const one = attempt({ cost: costOf(5) })
    records.put(one)
    await records.flush()
    records.put(one)
    await records.flush()
    expect((await records.list('default')).total).toBe(1)
    const [sum] = await records.analytics.hours({ from: one.at, to: one.at + 1 })
    expect(sum).toMatchObject({ attempts: 1, cost: 5n })
    await records.close()
  })

  test('tells kinds by so many names no further than a bound, and loses none of what was said', async () => {
    const records = await kept(await migrated(kind))
    const agents = Array.from({ length: 10_020 }, (_, i) => attempt({ userAgent: `agent ${i}`, model: `m${i}` }))
    for (const one of agents) records.put(one)
    await records.flush()
    const one = agents.at(-1)!
    records.put(
      attempt({ ...one, id: Bun.randomUUIDv7(), userAgent: 'agent new', model: 'm new', path: '/a/messages' }),
    )
    await records.flush()
    const [newest] = (await records.list('default', { perPage: 1, orderBy: 'created_at' })).records
    expect(newest!.userAgent).toStartWith('agent')
    const { records: all } = await records.after('default', 10_020, 10)
    expect(all).toMatchObject([{ userAgent: 'agent new', model: 'm new', path: '/a/messages', requestKind: 'chat' }])
    await records.close()
  })
})
