import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { hasPostgres, type PostgresServer, postgresServer } from '../support/postgres-server.ts'
import { type StandIn, standIn } from '../support/stand-in.ts'
import { endAll, eventually, folder, run, start, statusWith } from './executable.ts'

afterEach(endAll)
setDefaultTimeout(60_000)

describe.skipIf(!hasPostgres)('the executable with PostgreSQL', () => {
  let server: PostgresServer
  let provider: StandIn
  beforeAll(async () => {
    server = await postgresServer()
    provider = standIn(() => Response.json({ choices: [{ message: { role: 'assistant', content: 'heron' } }] }))
  })
  afterAll(async () => {
    provider?.stop()
    await server?.remove()
  })

  const configured = async (more = '') =>
    folder({
      'postern.yaml': `
storage: { database: "\${DATABASE}"${more} }
providers: { openai: { base_url: ${provider.address}/v1 } }
`,
    })
  const ready = async (address: string) => (await fetch(`${address}/readyz`, { keepalive: false })).status

  test('two replicas share it, and recover by themselves when its server was away', async () => {
    const env = { DATABASE: await server.fresh(), POSTERN_ENCRYPTION_KEY: 'a-secret-for-the-stored-keys' }
    const here = await configured()
    const token = (await run(['token', 'add', 'laptop'], here.path, env)).out.trim()
    expect(token).toMatch(/^pst_/)
    const stored = await run(['key', 'add', 'openai', '--from-env', 'KEY'], here.path, {
      ...env,
      KEY: 'sk-of-the-store-1',
    })
    expect([stored.code, stored.err]).toEqual([0, expect.stringContaining('stored in postgres://127.0.0.1:')])
    const replicas = [await start([], here.path, env), await start([], here.path, env)]
    const chat = async (address: string, secret = token) => {
      const answer = await fetch(`${address}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${secret}` },
        body: JSON.stringify({ model: 'openai/m', messages: [{ role: 'user', content: 'which bird?' }] }),
        keepalive: false,
      })
      return [answer.status, await answer.text()] as const
    }
    for (const { address } of replicas) {
      expect(await chat(address)).toEqual([200, expect.stringContaining('heron')])
      expect(await ready(address)).toBe(200)
    }
    expect(provider.last().headers.get('authorization')).toBe('Bearer sk-of-the-store-1')

    await server.kill()
    for (const { address } of replicas) expect(await eventually(async () => (await ready(address)) === 503)).toBe(true)
    await server.start()
    for (const { address } of replicas) expect(await eventually(async () => (await ready(address)) === 200)).toBe(true)
    const other = (await run(['token', 'add', 'phone'], here.path, env)).out.trim()
    for (const { address } of replicas) {
      expect(await eventually(async () => (await statusWith(address, other)) === 200)).toBe(true)
      expect(await chat(address, other)).toEqual([200, expect.stringContaining('heron')])
    }
    for (const replica of replicas) {
      replica.signal('SIGTERM')
      expect(await replica.exited).toBe(0)
    }
    here.remove()
  })

  test('a key is stored only with a secret that every replica has', async () => {
    const env = { DATABASE: await server.fresh(), KEY: 'sk-of-the-store-1' }
    const here = await configured()
    const { code, err } = await run(['key', 'add', 'openai', '--from-env', 'KEY'], here.path, env)
    expect([code, err]).toEqual([2, expect.stringContaining('POSTERN_ENCRYPTION_KEY')])
    // Nothing else needs it.
    expect((await run(['token', 'list'], here.path, env)).code).toBe(0)
    here.remove()
  })

  test('a server that is not there exits 1 and names the address without the password', async () => {
    const here = await configured()
    const env = { DATABASE: 'postgres://ferret:hunter22@127.0.0.1:1/postern' }
    const { code, err, out } = await run(['--port', '0'], here.path, env)
    expect([code, err]).toEqual([1, expect.stringContaining('postgres://127.0.0.1:1/postern')])
    expect(out + err).not.toMatch(/hunter22|ferret/)
    here.remove()
  })
})
