import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { logsExportCommand, logsShowCommand, logsTailCommand } from '../../src/commands/logs.ts'
import type { LogFilters } from '../../src/commands/logs-filter.ts'
import { closeDatabases, eachDatabase } from '../support/databases.ts'
import { put, recorded } from './recorded.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-logs-'))
afterAll(async () => {
  await closeDatabases()
  rmSync(folder, { recursive: true, force: true })
})

let out: string[] = []
let err: string[] = []
let written = ''
afterEach(() => {
  out = []
  err = []
  written = ''
})
const output = { out: (line: string) => void out.push(line), err: (line: string) => void err.push(line) }
const sink = {
  write: async (text: string) => {
    written += text
    return true
  },
}
const configured = (database: string) => {
  const config = join(folder, 'postern.yaml')
  writeFileSync(config, `storage: { database: "${database}" }\n`)
  return { config, env: {}, output, sink }
}
const lines = () => written.split('\n').filter(Boolean)
const now = Date.now()
const HOUR = 3_600_000

describe.each(eachDatabase)('postern logs on %s', (_, kind) => {
  let database = ''
  let options: ReturnType<typeof configured>
  const id = Bun.randomUUIDv7()

  beforeAll(async () => {
    database = await kind.fresh()
    options = configured(database)
    await put(
      database,
      recorded({ at: now - 50 * HOUR, model: 'old' }),
      recorded({ at: now - 5_000, status: 429, error: { code: 'rate_limited', number: 2003 }, token: 'phone' }),
      recorded({ at: now - 4_000, status: 503, provider: 'anthropic', model: 'claude-sonnet-4-5' }),
      recorded({ at: now - 3_000, gateway: 'family', metadata: { team: 'Herons' } }),
      recorded({
        id,
        at: now - 2_000,
        model: 'gpt-5-mini',
        usage: { input: 1204, output: 412, cacheRead: 0, cacheWrite: 0, reasoning: 0, source: 'reported' } as never,
        cost: { pico: 12_300_000, source: 'list', parts: [] },
        bodies: { request: '{"model":"gpt-5-mini","n":1}', answer: [Buffer.from('{"ok":true}')] },
      }),
    )
  })

  const tail = async (filters: LogFilters & { lines?: number }) => {
    written = ''
    expect(await logsTailCommand({ ...options, ...filters, json: true })).toBe(0)
    return lines().map(line => JSON.parse(line) as { model: string; status_code: number })
  }

  test('tail shows the last of all gateways, the newest below', async () => {
    expect(await logsTailCommand(options)).toBe(0)
    const [head, ...rows] = lines()
    expect(head).toMatch(/^TIME +MODEL +TOOK +TOKENS +COST +TOKEN +LOG$/)
    expect(rows).toHaveLength(5)
    expect(rows.at(-1)).toMatch(/ 200 openai\/gpt-5-mini +120 ms +1204\/412 +\$0\.00001 laptop +/)
    expect(rows.at(-1)).toEndWith(id)
    expect((await tail({ lines: 2 })).map(({ model }) => model)).toEqual(['gpt-4o', 'gpt-5-mini'])
  })

  test.each<[LogFilters, number[]]>([
    [{ provider: 'anthropic' }, [503]],
    [{ model: 'GPT-5' }, [200]],
    [{ status: '429' }, [429]],
    [{ status: '5xx' }, [503]],
    [{ errors: true }, [429, 503]],
    [{ token: 'phone' }, [429]],
    [{ since: '1h' }, [429, 503, 200, 200]],
    [{ since: new Date(now - 2_500).toISOString() }, [200]],
    [{ search: 'heron' }, [200]],
    [{ gateway: 'family' }, [200]],
    [{ gateway: 'nowhere' }, []],
    [{ errors: true, token: 'laptop', since: '1h' }, [503]],
  ])('filters: %j, and an export finds the same', async (filters, statuses) => {
    expect((await tail(filters)).map(record => record.status_code)).toEqual(statuses)
    written = ''
    expect(await logsExportCommand({ ...options, ...filters })).toBe(0)
    const exported = lines().map(line => (JSON.parse(line) as { status_code: number }).status_code)
    expect(exported.sort()).toEqual([...statuses].sort())
  })

  test('says which filter makes no sense', async () => {
    expect(await logsTailCommand({ ...options, since: 'soon' })).toBe(2)
    expect(await logsExportCommand({ ...options, status: '9xx' })).toBe(2)
    expect(err).toEqual([expect.stringContaining('--since'), expect.stringContaining('--status')])
  })

  test('tail --follow goes on with what comes and fits, and ends by itself', async () => {
    const controller = new AbortController()
    const following = logsTailCommand({ ...options, lines: 1, follow: true, model: 'new', signal: controller.signal })
    const until = async (text: string) => {
      for (let tries = 0; tries < 500 && !written.includes(text); tries++) await Bun.sleep(10)
      expect(written).toContain(text)
    }
    await until('TIME')
    await put(database, recorded({ model: 'new-1' }), recorded({ model: 'other' }))
    await until('new-1')
    // A gateway of which nothing was known.
    await put(database, recorded({ model: 'new-2', gateway: `gateway-${kind.kind}` }))
    await until('new-2')
    controller.abort()
    expect(await following).toBe(0)
    expect(written).not.toContain('other')
    expect(written.match(/new-1/g)).toHaveLength(1)
  })

  test('show prints a row and its bodies', async () => {
    expect(await logsShowCommand(id, options)).toBe(0)
    const text = out.join('\n')
    expect(text).toMatch(/tokens +1204 in, 412 out/)
    expect(text).toContain('Request\n{\n  "model": "gpt-5-mini",\n  "n": 1\n}')
    expect(text).toContain('Answer\n{\n  "ok": true\n}')
    out = []
    expect(await logsShowCommand(id, { ...options, json: true })).toBe(0)
    expect(JSON.parse(out.join(''))).toMatchObject({ id, gateway: 'default', response: '{"ok":true}' })
    expect(await logsShowCommand('nothing', options)).toBe(1)
  })

  test('export writes a file that only its owner reads, with bodies where they are asked for', async () => {
    const file = join(folder, `${kind.kind}.ndjson`)
    expect(await logsExportCommand({ ...options, model: 'gpt-5', bodies: true, out: file })).toBe(0)
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ id, request: '{"model":"gpt-5-mini","n":1}' })
    expect(statSync(file).mode & 0o077).toBe(0)
    expect(err.join()).toContain('1 record in')
    expect(await logsExportCommand({ ...options, out: join(folder, 'no/such/folder') })).toBe(1)
  })

  test('a reader that had enough ends it without a fault', async () => {
    let pieces = 0
    const short = { write: async () => ++pieces < 1 }
    expect(await logsTailCommand({ ...options, follow: true, sink: short })).toBe(0)
    expect(await logsExportCommand({ ...options, sink: short })).toBe(0)
    expect(err).toEqual([])
  })
})
