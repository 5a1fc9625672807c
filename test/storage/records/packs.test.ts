import { afterEach, describe, expect, test } from 'bun:test'
import type { Database } from '../../../src/storage/database.ts'
import type { RecordFilter } from '../../../src/storage/records/index.ts'
import type { Decision, RecordedBodies } from '../../../src/telemetry/attempt-record.ts'
import { closeDatabases, eachDatabase, migrated } from '../../support/databases.ts'
import { attempt, costOf, kept } from './support.ts'

afterEach(closeDatabases)

const bytes = (text: string) => new TextEncoder().encode(text)
const withBodies = (bodies: RecordedBodies, given: Parameters<typeof attempt>[0] = {}) =>
  attempt({ collectBodies: true, bodies, ...given })
const textOf = (body: { bytes: Uint8Array } | undefined) => body && new TextDecoder().decode(body.bytes)

/** All bytes that are kept of bodies, as somebody would read them who has the database's file. */
async function allKept(database: Database): Promise<string[]> {
  const rows = await database.all<{ bytes: Uint8Array<ArrayBuffer> }>('SELECT bytes FROM record_bodies ORDER BY first')
  return rows.map(row => Buffer.from(Bun.zstdDecompressSync(row.bytes)).toString('latin1'))
}

describe.each(eachDatabase)('bodies of many records in %s', (_, kind) => {
  test('stand together, and each is given to whom it belongs', async () => {
    const database = await migrated(kind)
    const records = await kept(database)
    const made = Array.from({ length: 300 }, (_, i) =>
      withBodies(
        { request: `{"number":${i}}`, ...(i % 3 && { answer: [bytes(`{"ans`), bytes(`wer":"${'ä'.repeat(i)}"}`)] }) },
        { gateway: i % 2 ? 'odd' : 'even', ...(i % 7 === 0 && { collectBodies: false }) },
      ),
    )
    for (const one of made) records.put(one)
    await records.flush()
    expect((await allKept(database)).length).toBeLessThan(60)
    for (const [i, { gateway, id }] of made.entries()) {
      const isKept = i % 7 !== 0
      expect(textOf(await records.body(gateway, id, 'request'))).toBe(isKept ? `{"number":${i}}` : undefined)
      const answer = await records.body(gateway, id, 'answer')
      expect(textOf(answer)).toBe(isKept && i % 3 ? `{"answer":"${'ä'.repeat(i)}"}` : undefined)
      if (answer) expect(answer.size).toBe(13 + 2 * i)
    }
    await records.close()
  })

  test('a secret goes from the one that has it, and its neighbours stay as they were', async () => {
    const database = await migrated(kind)
    const records = await kept(database, { bounds: { body: 100_000 } })
    const secret = 'sk-proj-abcdefghijklmnopqrstuvwx'
    // A hint that two bodies have only together is none.
    const texts = [
      'ends with s',
      'k-means clustering of abcdefghijklmnopqrstuvwxyz',
      `a ${secret} b`,
      'risk-free',
      'last',
    ]
    const made = texts.map(request => withBodies({ request, answer: [bytes(`re: ${request}`)] }))
    for (const one of made) records.put(one)
    await records.flush()
    const told = await Promise.all(made.map(({ id }) => records.body('default', id, 'request')))
    expect(told.map(textOf)).toEqual(texts.map(text => text.replace(secret, '[redacted:key]')))
    expect(told.map(body => body?.replaced)).toEqual([undefined, undefined, 1, undefined, undefined])
    expect(told[2]?.size).toBe(texts[2]!.length)
    expect(textOf(await records.body('default', made[4]!.id, 'answer'))).toBe('re: last')
    expect((await allKept(database)).join()).not.toContain('sk-proj')
    await records.close()
  })

  test('what is taken away is gone from the database, and the rest can be read', async () => {
    const database = await migrated(kind)
    const records = await kept(database)
    const made = Array.from({ length: 400 }, (_, i) =>
      withBodies({ request: `{"word":"w${i}w"}` }, { usage: { input: i, output: 1, source: 'reported' } }),
    )
    for (const one of made) records.put(one)
    await records.flush()
    expect(textOf(await records.body('default', made[1]!.id, 'request'))).toBe('{"word":"w1w"}')
    const filters: RecordFilter[] = [
      { key: 'tokens_in', operator: 'gt', value: [0] },
      { key: 'tokens_in', operator: 'lt', value: [395] },
    ]
    expect(await records.remove('default', { filters })).toBe(394)
    const left = (await allKept(database)).join()
    for (let i = 0; i < 400; i++) expect(left.includes(`w${i}w`)).toBe(i === 0 || i >= 395)
    expect(await records.body('default', made[1]!.id, 'request')).toBeUndefined()
    for (const i of [0, 395, 399])
      expect(textOf(await records.body('default', made[i]!.id, 'request'))).toBe(`{"word":"w${i}w"}`)
    expect(await records.remove('default', {})).toBe(6)
    expect(await allKept(database)).toEqual([])
    await records.close()
  })

  test('where rows are refused their bodies are, too', async () => {
    const database = await migrated(kind)
    const records = await kept(database, { keeping: () => ({ most: 90, strategy: 'STOP_INSERTING' }) })
    const made = Array.from({ length: 250 }, (_, i) => withBodies({ request: `{"word":"w${i}w"}` }))
    for (const one of made) records.put(one)
    await records.flush()
    const left = (await allKept(database)).join()
    for (let i = 0; i < 250; i++) expect(left.includes(`w${i}w`)).toBe(i < 90)
    expect(textOf(await records.body('default', made[89]!.id, 'request'))).toBe('{"word":"w89w"}')
    await records.close()
  })

  test('bodies that cannot be read are counted, and their row is kept', async () => {
    const assemble = () => {
      throw new Error('no such stream')
    }
    const records = await kept(await migrated(kind), { assemble })
    const broken = withBodies({ answer: [bytes('data: 1')], format: 'known' }, { stream: true })
    const whole = withBodies({ request: 'whole' })
    records.put(broken)
    records.put(whole)
    await records.flush()
    expect((await records.list('default')).total).toBe(2)
    expect(await records.body('default', broken.id, 'answer')).toBeUndefined()
    expect(textOf(await records.body('default', whole.id, 'request'))).toBe('whole')
    expect(records.drops).toEqual([[1, 'bodies']])
    await records.close()
  })

  test('a list of decisions that many records share is told with the cost of each', async () => {
    const records = await kept(await migrated(kind))
    const decisions: readonly Decision[] = Object.freeze([{ step: 'key', what: 'the house’s' }])
    const made = [3, 5].map(pico => attempt({ decisions: () => decisions, cost: costOf(pico) }))
    const bare = attempt({ decisions })
    for (const one of [...made, bare]) records.put(one)
    await records.flush()
    const told = async (id: string) => JSON.parse(textOf(await records.body('default', id, 'explain'))!)
    expect(await told(made[0]!.id)).toEqual({ decisions, cost: costOf(3) })
    expect(await told(made[1]!.id)).toEqual({ decisions, cost: costOf(5) })
    expect(await told(bare.id)).toEqual({ decisions })
    await records.close()
  })
})
