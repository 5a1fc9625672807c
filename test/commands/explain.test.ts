import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { explainCommand } from '../../src/commands/explain.ts'
import { closeDatabases, eachDatabase } from '../support/databases.ts'
import { decisions, put, recorded } from './recorded.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-explain-'))
afterAll(async () => {
  await closeDatabases()
  rmSync(folder, { recursive: true, force: true })
})

let out: string[] = []
let err: string[] = []
const output = { out: (line: string) => void out.push(line), err: (line: string) => void err.push(line) }
afterEach(() => {
  out = []
  err = []
})
const configured = (database: string) => {
  const config = join(folder, 'postern.yaml')
  writeFileSync(config, `storage: { database: "${database}" }\n`)
  return { config, env: {}, output }
}

describe.each(eachDatabase)('postern explain on %s', (_, kind) => {
  const id = Bun.randomUUIDv7()
  const second = Bun.randomUUIDv7()
  const bare = Bun.randomUUIDv7()
  let options: ReturnType<typeof configured>
  let database = ''

  beforeAll(async () => {
    database = await kind.fresh()
    const failed = recorded({ id, event: 'the heron', status: 529, error: { code: 'overloaded' }, decisions })
    const answered = recorded({
      id: second,
      request: id,
      event: 'the heron',
      at: failed.at + 500,
      attempt: 2,
      decisions,
      cost: {
        pico: 12_000_000,
        source: 'list',
        parts: [{ what: 'input', units: 4, each: 3_000_000, pico: 12_000_000 }],
      },
      bodies: {
        request: '{"model":"dynamic/x","seed":1,"messages":[{"role":"user","content":"Where?"}]}',
        upstreamRequest: '{"contents":[{"role":"user","parts":[{"text":"Where?"}]}]}',
        answer: [Buffer.from('{"choices":[{"message":{"content":"In the reeds."},"finish_reason":"stop"}]}')],
      },
    })
    await put(database, failed, answered, recorded({ id: bare, gateway: 'quiet', collectBodies: false }))
  })

  test('finds a log, a request, an event and the beginning of an id', async () => {
    options = configured(database)
    for (const word of [second, second.toUpperCase(), second.slice(0, 30), id, 'the heron']) {
      out = []
      expect(await explainCommand(word, options)).toBe(0)
      const text = out.join('\n')
      expect(text).toContain(`log ${second}`)
      expect(text).toMatch(/cache_ttl +300 s +← postern\.yaml:12/)
      expect(text).toMatch(/1 {2}openai\/gpt-4o {2}529 overloaded/)
      expect(text).toContain('messages[0].content → contents[0].parts[0].text')
      expect(text).toMatch(/- seed +1/)
      expect(text).toContain('Told in postern-dropped: seed')
      expect(text).toContain('In the reeds.')
      expect(text).toMatch(/input {2}4 × \$3\.00 \/ 1M {2}= \$0\.000012/)
      expect(text).not.toContain('\u001b')
      for (const line of out) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(80)
    }
    expect(err).toEqual([])
  })

  test('as JSON, and where no bodies are', async () => {
    options = configured(database)
    await explainCommand(second, { ...options, json: true })
    expect(JSON.parse(out.join('\n'))).toMatchObject({ log_id: second, request_id: id, duration: 620 })
    out = []
    expect(await explainCommand(bare, options)).toBe(0)
    expect(out.join('\n')).toContain('The bodies were not kept')
    expect(await explainCommand(bare, { ...options, gateway: 'default' })).toBe(1)
    expect(err.join()).toContain('gateway "default"')
  })

  test('says so when there is none, and repeats no key that was typed by mistake', async () => {
    options = configured(database)
    expect(await explainCommand(Bun.randomUUIDv7(), options)).toBe(1)
    expect(await explainCommand('sk-a-heron-in-the-reeds', options)).toBe(1)
    expect(err[0]).toContain('no log, request or event')
    expect(err[0]).toContain('cf-aig-log-id')
    expect(err[1]).not.toContain('heron')
  })
})

test('a database that is not there is not made', async () => {
  const options = configured(`sqlite:${join(folder, 'none.db')}`)
  expect(await explainCommand('x', options)).toBe(1)
  expect(err.join()).toContain('there is no database at')
  expect(await Bun.file(join(folder, 'none.db')).exists()).toBe(false)
  expect(await explainCommand('x', configured('sqlite::memory:'))).toBe(1)
  expect(err.at(-1)).toContain('in memory')
})
