import { afterEach, describe, expect, test } from 'bun:test'
import type { BodyName } from '../../../src/storage/records/index.ts'
import type { AttemptRecord, RecordedBodies } from '../../../src/telemetry/attempt-record.ts'
import { closeDatabases, eachDatabase, migrated } from '../../support/databases.ts'
import { attempt, costOf, type Kept, kept } from './support.ts'

afterEach(closeDatabases)

const bytes = (text: string) => new TextEncoder().encode(text)
const MB = 1024 * 1024

async function put(records: Kept, bodies: RecordedBodies, given: Partial<AttemptRecord> = {}) {
  const one = attempt({ collectBodies: true, bodies, ...given })
  records.put(one)
  await records.flush()
  return async (name: BodyName) => {
    const body = await records.body('default', one.id, name)
    return body && { ...body, bytes: undefined, text: new TextDecoder().decode(body.bytes) }
  }
}

describe.each(eachDatabase)('bodies in %s', (_, kind) => {
  const open = async (options = {}) => kept(await migrated(kind), options)

  test('are given again as they were, each by its name', async () => {
    const records = await open()
    const body = await put(records, {
      request: '{"messages":[ "ä" ]}',
      upstreamRequest: bytes('{"contents":[]}'),
      answer: [bytes('{"choi'), bytes('ces":[]}')],
      upstreamAnswer: [bytes('{"candidates":[]}')],
    })
    expect(await body('request')).toMatchObject({ text: '{"messages":[ "ä" ]}', size: 21 })
    expect(await body('upstream-request')).toMatchObject({ text: '{"contents":[]}' })
    expect(await body('answer')).toMatchObject({ text: '{"choices":[]}', size: 14 })
    expect(await body('upstream-answer')).toMatchObject({ text: '{"candidates":[]}' })
    expect(await body('explain')).toBeUndefined()
    await records.close()
  })

  test('are not kept where the record says so, and what was decided is', async () => {
    const records = await open()
    const decisions = [{ step: 'route', what: 'the first of two', facts: { route: 'support' } }]
    const body = await put(records, { request: 'a prompt' }, { collectBodies: false, decisions, cost: costOf(7) })
    expect(await body('request')).toBeUndefined()
    expect(JSON.parse((await body('explain'))!.text)).toEqual({ decisions, cost: costOf(7) })
    await records.close()
  })

  test('a row that is not collected keeps nothing', async () => {
    const records = await open()
    const body = await put(records, { request: 'a prompt' }, { collect: false })
    expect(await body('request')).toBeUndefined()
    expect((await records.list('default')).total).toBe(0)
    await records.close()
  })

  test('are cut at the bound, where a character ends', async () => {
    const records = await open({ bounds: { body: 11 } })
    const body = await put(records, { request: `12345678${'ä'.repeat(9)}`, answer: [bytes('short')], cut: true })
    expect(await body('request')).toMatchObject({ text: '12345678ä', cut: true, size: 26 })
    // Whoever collected it let the rest go.
    expect(await body('answer')).toMatchObject({ text: 'short', cut: true })
    await records.close()
  })

  test('ten megabytes and more are taken, compressed elsewhere', async () => {
    const records = await open()
    const long = `"${'lorem ipsum '.repeat(MB)}"`
    const body = await put(records, { request: long })
    const told = (await body('request'))!
    expect(told.cut).toBe(true)
    expect(told.size).toBe(long.length)
    expect(told.text).toBe(long.slice(0, 10 * MB))
    await records.close()
  })

  test.each([
    ['sk-proj-abcdefghijklmnopqrstuvwx', 'key'],
    ['pst_abcdefghijklmnopqrstuvwxyz', 'token'],
    ['AIzaSyA1234567890abcdefghijklmnopqrstuv', 'google-key'],
    ['AKIAIOSFODNN7EXAMPLE', 'aws-key'],
    ['gsk_abcdefghijklmnopqrstuvwxyz', 'groq-key'],
    ['ghp_abcdefghijklmnopqrstuvwxyz0123456789', 'github-token'],
    ['xoxb-123456789012-abcdef', 'slack-token'],
    ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N', 'jwt'],
  ])('without what looks like a secret: %s', async (secret, name) => {
    const records = await open()
    const body = await put(records, { request: JSON.stringify({ text: `my key is ${secret}, keep it` }) })
    const told = (await body('request'))!
    expect(told.text).toBe(`{"text":"my key is [redacted:${name}], keep it"}`)
    expect(told.replaced).toBe(1)
    await records.close()
  })

  test('without bearer tokens, private keys and what the operator names', async () => {
    const own = [{ name: 'badge', hint: 'badge', pattern: /badge-\d+/g }]
    const records = await open({ secrets: own })
    const pem = '-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\nabc=\n-----END RSA PRIVATE KEY-----'
    const body = await put(records, {
      request: JSON.stringify({ a: 'Authorization: Bearer abcdefghij1234567890xyz', b: `x${pem}y`, c: 'badge-77' }),
    })
    expect(JSON.parse((await body('request'))!.text)).toEqual({
      a: 'Authorization: Bearer [redacted:bearer]',
      b: 'x[redacted:private-key]y',
      c: '[redacted:badge]',
    })
    await records.close()
  })

  test('words that only resemble secrets stay, and everything does when nothing shall be taken out', async () => {
    const text = 'task-oriented-and-risk-averse-people-ask-a-lot, eyJ and xoxo, sk-short, AKIA'
    const records = await open()
    expect((await (await put(records, { request: text }))('request'))!.text).toBe(text)
    await records.close()
    const secret = 'sk-proj-abcdefghijklmnopqrstuvwx'
    const plain = await open({ redact: false })
    expect((await (await put(plain, { request: secret }))('request'))!.text).toBe(secret)
    await plain.close()
  })

  test('a picture within JSON becomes a word about it, and small ones stay', async () => {
    const records = await open({ bounds: { media: 1_000 } })
    const png = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(3_000, 7)])
    const sha256 = new Bun.CryptoHasher('sha256').update(png).digest('hex')
    const small = Buffer.alloc(90).toString('base64')
    const request = { url: `data:image/webp;base64,${png.toString('base64')}`, data: png.toString('base64'), small }
    const body = await put(records, { request: JSON.stringify(request) })
    const told = (await body('request'))!
    expect(JSON.parse(told.text)).toEqual({
      url: { type: 'image/webp', bytes: 3_008, sha256 },
      data: { type: 'image/png', bytes: 3_008, sha256 },
      small,
    })
    expect(told.replaced).toBe(2)
    await records.close()
  })

  test('a sound that is no text becomes a word about it when it is large', async () => {
    const records = await open({ bounds: { media: 1_000 } })
    const [large, small] = [Buffer.alloc(5_000, 0xff), Buffer.from('fffb9000', 'hex')]
    const body = await put(records, { request: new Uint8Array(small), answer: [large] }, { answerType: 'audio/mpeg' })
    expect(JSON.parse((await body('answer'))!.text)).toMatchObject({ type: 'audio/mpeg', bytes: 5_000 })
    const one = (await records.list('default')).records[0]!
    expect(Buffer.from((await records.body('default', one.id, 'request'))!.bytes).toString('hex')).toBe('fffb9000')
    await records.close()
  })

  const assemble = (format: string, stream: Uint8Array) =>
    format === 'known' ? JSON.stringify({ whole: Buffer.from(stream).toString().length }) : undefined

  test('a stream is put together by whoever knows its format, and its secrets go', async () => {
    const records = await open({ assemble })
    const body = await put(records, { answer: [bytes('in '), bytes('pieces')], format: 'known' }, { stream: true })
    expect(await body('answer')).toMatchObject({ text: '{"whole":9}', assembled: true, size: 9 })
    const split = (_: string, stream: Uint8Array) => Buffer.from(stream).toString().replaceAll('|', '')
    const others = await open({ assemble: split })
    const told = await put(
      others,
      { answer: [bytes('sk-proj-abcdefg|hijklmnopqrstuvwx')], format: 'x' },
      { stream: true },
    )
    expect(await told('answer')).toMatchObject({ text: '[redacted:key]', replaced: 1 })
    await records.close()
    await others.close()
  })

  test('a stream of no known format, and an answer in one piece, stay as they came', async () => {
    const records = await open({ assemble })
    const stream = await put(records, { answer: [bytes('data: {"a":1}')], format: 'unknown' }, { stream: true })
    const whole = await put(records, { answer: [bytes('{"a":1}')], format: 'known' })
    const [told, other] = [(await stream('answer'))!, (await whole('answer'))!]
    expect([told.text, other.text]).toEqual(['data: {"a":1}', '{"a":1}'])
    expect([told.assembled, other.assembled]).toEqual([undefined, undefined])
    await records.close()
  })
})
