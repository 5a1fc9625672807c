import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog } from '../../../src/telemetry/log.ts'
import { Logpush, type LogpushOptions } from '../../../src/telemetry/logpush/index.ts'
import type { LogpushTarget } from '../../../src/telemetry/logpush/settings.ts'
import { attempt } from '../attempt.ts'
import { keyPair } from './keys.ts'

let folder: string
let lines: Record<string, unknown>[] = []
const closing: (() => unknown)[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-logpush-'))
  lines = []
})
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
  rmSync(folder, { recursive: true, force: true })
})

async function pushTo(targets: LogpushTarget[], options: Partial<LogpushOptions> = {}): Promise<Logpush> {
  const sink = { write: (line: string) => void lines.push(JSON.parse(line)), flush: async () => {} }
  const { logger } = await createLog({ level: 'info', format: 'json' }, { terminal: false, sink })
  const logpush = await Logpush.open({
    spool: join(folder, 'spool'),
    targets: targets.map(target => ({ every: 0.02, ...target })),
    settingsOf: () => ({ logpush: true }),
    log: logger,
    wait: 5,
    ...options,
  })
  closing.push(() => logpush.close(200))
  return logpush
}

interface Came {
  method: string
  path: string
  headers: Headers
  bytes: Uint8Array
}

/** A receiver on a real socket. */
function receiver(answer: (request: number) => Response | Promise<Response> = () => new Response()) {
  const came: Came[] = []
  let requests = 0
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const bytes = await request.bytes()
      const response = await answer(requests++)
      const { pathname } = new URL(request.url)
      if (response.ok) came.push({ method: request.method, path: pathname, headers: request.headers, bytes })
      return response
    },
  })
  closing.push(() => server.stop(true))
  return {
    address: `http://127.0.0.1:${server.port}`,
    came,
    asked: () => requests,
    logs: () => came.flatMap(({ bytes }) => logsIn(Buffer.from(bytes).toString())),
  }
}

const logsIn = (text: string) =>
  text
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line) as Record<string, unknown>)

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500 && !holds(); tries++) await Bun.sleep(10)
  expect(holds()).toBe(true)
}

describe('logpush', () => {
  test('posts batches of lines to an address', async () => {
    const there = receiver()
    const logpush = await pushTo([{ url: `${there.address}/in?key=hidden`, headers: { 'X-Token': 't' }, every: 0.2 }])
    for (let n = 0; n < 50; n++) logpush.put(attempt({ status: 200 + (n % 2) }))
    await until(() => there.logs().length === 50)
    expect(there.came).toHaveLength(1)
    const { method, path, headers } = there.came[0]!
    expect([method, path, headers.get('content-type'), headers.get('x-token')]).toEqual([
      'POST',
      '/in',
      'application/x-ndjson',
      't',
    ])
    expect(headers.get('idempotency-key')).toMatch(/^[0-9a-f-]{36}$/)
    await until(() => logpush.spooled === 0)
  })

  test('compresses where it is asked to', async () => {
    const there = receiver()
    const logpush = await pushTo([{ url: there.address, compression: 'gzip' }])
    logpush.put(attempt())
    await until(() => there.came.length === 1)
    const { headers, bytes } = there.came[0]!
    expect(headers.get('content-encoding')).toBe('gzip')
    expect(logsIn(Buffer.from(Bun.gunzipSync(new Uint8Array(bytes))).toString())).toHaveLength(1)
  })

  test('writes signed objects to a bucket', async () => {
    const there = receiver()
    const logpush = await pushTo([
      {
        url: 's3://logs/ai/gateway',
        endpoint: there.address,
        region: 'eu-central-1',
        access_key_id: 'AKIATEST',
        secret_access_key: 'not-told',
      },
    ])
    logpush.put(attempt())
    logpush.put(attempt())
    await until(() => there.logs().length === 2)
    const { method, path, headers } = there.came[0]!
    expect(method).toBe('PUT')
    expect(path).toMatch(/^\/logs\/ai\/gateway\/\d{8}\/\d{8}T\d{6}Z_[0-9a-f-]{36}\.ndjson$/)
    const authorization = headers.get('authorization')!
    expect(authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIATEST\/\d{8}\/eu-central-1\/s3\/aws4_request, SignedHeaders=\S*host\S*, ?Signature=[0-9a-f]{64}$/,
    )
    expect(JSON.stringify([...headers])).not.toContain('not-told')
  })

  test('appends to a file and sets it aside when it is large', async () => {
    const path = join(folder, 'logs', 'ai.ndjson')
    const logpush = await pushTo([{ url: `file:${path}`, rotate_bytes: 300 }])
    for (let n = 1; n <= 3; n++) {
      logpush.put(attempt())
      await until(() => logpush.spooled === 0 && existsSync(path) && readdirSync(join(folder, 'logs')).length === n)
    }
    const names = readdirSync(join(folder, 'logs'))
    expect(names.filter(name => /^ai-\d{8}T\d{6}Z_[0-9a-f-]{36}\.ndjson$/.test(name))).toHaveLength(2)
    expect(names.flatMap(name => logsIn(readFileSync(join(folder, 'logs', name), 'utf8')))).toHaveLength(3)
  })

  test('leaves what is torn in a file a line of its own', async () => {
    const path = join(folder, 'ai.ndjson')
    writeFileSync(path, '{"a":1}\n{"torn')
    const logpush = await pushTo([{ url: `file:${path}` }])
    logpush.put(attempt())
    await until(() => readFileSync(path, 'utf8').endsWith('}\n'))
    expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(4)
  })

  test('takes records of gateways that want it, for receivers that want them, with bodies only where collected', async () => {
    const [all, one] = [receiver(), receiver()]
    const logpush = await pushTo([{ url: all.address }, { url: one.address, gateway: 'team' }], {
      settingsOf: gateway => ({ logpush: gateway !== 'quiet' }),
    })
    const bodies = { request: '{"a":1}', answer: [Buffer.from('{"b":2}')] }
    logpush.put(attempt({ gateway: 'quiet' }))
    logpush.put(attempt({ gateway: 'default', collect: false }))
    logpush.put(attempt({ gateway: 'default', collectBodies: false, bodies }))
    logpush.put(attempt({ gateway: 'team', collectBodies: true, bodies }))
    await until(() => all.logs().length === 2 && one.logs().length === 1)
    expect(all.logs().map(({ Gateway, RequestBody }) => [Gateway, RequestBody])).toEqual([
      ['default', null],
      ['team', { a: 1 }],
    ])
    expect(one.logs()[0]).toMatchObject({ Gateway: 'team', ResponseBody: { b: 2 } })
  })

  test('tries again while the receiver is down, says so once, and keeps the order', async () => {
    const there = receiver(request => new Response(null, { status: request < 2 ? 403 : 200 }))
    const logpush = await pushTo([{ url: `${there.address}/?key=hidden` }])
    logpush.put(attempt({ model: 'first' }))
    await until(() => there.asked() > 0)
    logpush.put(attempt({ model: 'second' }))
    await until(() => there.logs().length === 2)
    expect(there.logs().map(({ Model }) => Model)).toEqual(['first', 'second'])
    await until(() => lines.length === 2)
    expect(lines.map(({ level }) => level)).toEqual(['error', 'info'])
    expect(JSON.stringify(lines)).not.toContain('hidden')
    expect(logpush.dropped).toBe(0)
  })

  test('loses nothing over a stop while the receiver is down', async () => {
    let up = false
    const there = receiver(() => new Response(null, { status: up ? 200 : 503 }))
    const targets = [{ url: there.address }]
    const first = await pushTo(targets)
    for (let n = 0; n < 20; n++) first.put(attempt({ model: `m${n}` }))
    await first.close(200)
    expect(there.logs()).toHaveLength(0)
    up = true
    await pushTo(targets)
    await until(() => there.logs().length === 20)
    expect(there.logs().map(({ Model }) => Model)).toEqual(Array.from({ length: 20 }, (_, n) => `m${n}`))
  })

  test('loses nothing that lay on disk when the process was killed', async () => {
    const there = receiver()
    const targets = [{ url: there.address, every: 3_600 }]
    const program = `
      import { Logpush } from '${join(import.meta.dir, '../../../src/telemetry/logpush/index.ts')}'
      import { attempt } from '${join(import.meta.dir, '../attempt.ts')}'
      const logpush = await Logpush.open({ spool: '${join(folder, 'spool')}', targets: ${JSON.stringify(targets)},
        settingsOf: () => ({ logpush: true }), log: console, wait: 1 })
      for (let n = 0; n < 30; n++) logpush.put(attempt())
      while (logpush.waiting) await Bun.sleep(5)
      await Bun.sleep(50)
      console.log('written')
      await Bun.sleep(60_000)`
    const child = Bun.spawn({ cmd: [process.execPath, '-e', program], stdout: 'pipe', stderr: 'inherit' })
    const { value } = await child.stdout.getReader().read()
    expect(Buffer.from(value!).toString()).toContain('written')
    child.kill('SIGKILL')
    await child.exited
    await pushTo(targets)
    await until(() => there.logs().length === 30)
  })

  test('encrypts for the gateway’s key, and tells nothing where that key is none', async () => {
    const there = receiver()
    const { publicKey } = keyPair(2_048)
    const logpush = await pushTo([{ url: there.address }], {
      settingsOf: gateway => ({
        logpush: true,
        logpush_public_key: gateway === 'default' ? publicKey : 'no key at all',
      }),
    })
    const said = { collectBodies: true, metadata: { user: 'Ada' }, bodies: { request: '{"prompt":"a secret"}' } }
    logpush.put(attempt({ ...said, gateway: 'default' }))
    logpush.put(attempt({ ...said, gateway: 'broken' }))
    logpush.put(attempt({ ...said, gateway: 'broken' }))
    await until(() => there.logs().length === 3)
    const text = there.came.map(({ bytes }) => Buffer.from(bytes).toString()).join('')
    expect(text).not.toContain('secret')
    expect(text).not.toContain('Ada')
    expect(there.logs()[0]).toMatchObject({ RequestBody: { key: expect.any(String), iv: expect.any(String) } })
    expect(there.logs()[1]).toMatchObject({ Metadata: null, RequestBody: null })
    expect(lines.filter(({ msg }) => String(msg).startsWith('logpush_public_key'))).toHaveLength(1)
  })
})

describe('a configuration that is read again', () => {
  test('is followed, and nothing that comes meanwhile is lost', async () => {
    const [stays, old, made] = [receiver(), receiver(), receiver()]
    const first = [{ url: stays.address }, { url: old.address }].map(target => ({ every: 0.02, ...target }))
    const logpush = await pushTo(first)
    logpush.put(attempt({ id: 'before' }))
    await until(() => stays.logs().length === 1 && old.logs().length === 1)
    const following = logpush.follow([first[0]!, { url: made.address, every: 0.02 }])
    logpush.put(attempt({ id: 'meanwhile' }))
    await following
    logpush.put(attempt({ id: 'after' }))
    await until(() => stays.logs().length === 3 && made.logs().length === 2)
    expect(stays.logs().map(({ LogID }) => LogID)).toEqual(['before', 'meanwhile', 'after'])
    expect(made.logs().map(({ LogID }) => LogID)).toEqual(['meanwhile', 'after'])
    expect(old.logs()).toHaveLength(1)
  })

  test('sends what a receiver refused before with the token that it wants', async () => {
    const one = receiver()
    const server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch: async request =>
        request.headers.get('authorization') === 'Bearer new'
          ? fetch(one.address, { method: 'POST', body: await request.bytes() })
          : new Response(null, { status: 401 }),
    })
    closing.push(() => server.stop(true))
    const target = { url: `http://127.0.0.1:${server.port}/in`, every: 0.02 }
    const logpush = await pushTo([{ ...target, headers: { authorization: 'Bearer old' } }])
    logpush.put(attempt({ id: 'kept' }))
    await until(() => lines.some(({ reason }) => reason === 'it answered 401'))
    await logpush.follow([{ ...target, headers: { authorization: 'Bearer new' } }])
    await until(() => one.logs().length === 1)
    expect(one.logs()[0]!.LogID).toBe('kept')
    expect(logpush.dropped).toBe(0)
  })

  test('keeps on disk what a receiver that is gone has left, until it is there again', async () => {
    let down = true
    const one = receiver(() => new Response(null, { status: down ? 503 : 200 }))
    const target = { url: one.address, every: 0.02 }
    const logpush = await pushTo([target])
    logpush.put(attempt({ id: 'kept' }))
    await until(() => one.asked() > 0)
    await logpush.follow([])
    logpush.put(attempt({ id: 'for nobody' }))
    down = false
    await logpush.follow([target])
    await until(() => one.logs().length === 1)
    expect(one.logs()[0]!.LogID).toBe('kept')
  })
})
