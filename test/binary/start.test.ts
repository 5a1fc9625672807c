import { Database } from 'bun:sqlite'
import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { endAll, eventually, folder, run, start, statusWith } from './executable.ts'

afterEach(endAll)
// Processes start and stop here, and the machine may be busy.
setDefaultTimeout(30_000)

const secret = /pst_[0-9A-Za-z]{32}/g

describe('starting the executable', () => {
  test('without a file it makes a first token, prints it, and takes it; a second start makes none', async () => {
    const here = folder()
    const one = await start([], here.path)
    await one.until(/Try it:[\s\S]*stream:[\s\S]*\n\n/)
    const made = new Set(one.said().match(secret))
    expect(made.size).toBe(1)
    const [token = ''] = made
    expect(await statusWith(one.address, token)).toBe(200)
    expect(await statusWith(one.address, 'pst_00000000000000000000000000000000')).toBe(401)
    expect(one.said()).toContain(`${one.address}/v1/chat/completions`)
    one.signal('SIGTERM')
    expect(await one.exited).toBe(0)

    const two = await start([], here.path)
    expect(await statusWith(two.address, token)).toBe(200)
    two.signal('SIGTERM')
    await two.exited
    expect(two.said()).not.toMatch(/pst_/)

    // The secret itself is kept nowhere, and nobody else may read the file.
    expect(statSync(join(here.path, 'postern.db')).mode & 0o777).toBe(0o600)
    const kept = new Database(join(here.path, 'postern.db'), { readonly: true }).query('SELECT * FROM tokens').all()
    expect(kept).toHaveLength(1)
    expect(JSON.stringify(kept)).not.toContain(token)
    here.remove()
  })

  test('no first token where the file has one', async () => {
    const here = folder({ 'postern.yaml': 'tokens: [{ name: mine, token: a-token-of-the-file }]\n' })
    const server = await start([], here.path)
    expect(await statusWith(server.address, 'a-token-of-the-file')).toBe(200)
    server.signal('SIGTERM')
    await server.exited
    expect(server.said()).not.toMatch(/pst_/)
    here.remove()
  })

  test('it answers soon after its start', async () => {
    const here = folder()
    const begun = performance.now()
    const server = await start([], here.path)
    expect((await fetch(`${server.address}/healthz`)).status).toBe(200)
    // 100 ms is the aim on a quiet machine, which the benchmark measures; this catches what is far off.
    expect(performance.now() - begun).toBeLessThan(3_000)
    here.remove()
  })

  test('a port in use exits 1, names the port and how to change it, and makes no token', async () => {
    const stranger = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
    const here = folder({ 'postern.yaml': `server: { port: ${stranger.port} }\n` })
    const one = await run([], here.path)
    expect(one.code).toBe(1)
    expect(one.err).toContain(`port ${stranger.port} on 127.0.0.1 is in use`)
    expect(one.err).toContain('server.port')
    expect(one.out + one.err).not.toMatch(secret)
    // Workers share a port among themselves, not with strangers.
    const several = folder({ 'postern.yaml': `server: { port: ${stranger.port}, workers: 2 }\n` })
    expect((await run([], several.path)).code).toBe(1)
    stranger.stop(true)
    here.remove()
    several.remove()
  })

  test('a second server with several workers does not share the port of the first', async () => {
    const here = folder({ 'postern.yaml': 'server: { workers: 2 }\n' })
    const one = await start([], here.path)
    const again = await run(['--port', String(one.port)], here.path)
    expect(again.code).toBe(1)
    expect(again.err).toContain(`port ${one.port}`)
    here.remove()
  })

  test('a database that a newer Postern wrote exits 1 with a clear word', async () => {
    const here = folder()
    const database = new Database(join(here.path, 'postern.db'))
    database.run('CREATE TABLE postern_schema (one INTEGER PRIMARY KEY, version INTEGER NOT NULL)')
    database.run('INSERT INTO postern_schema VALUES (1, 999)')
    database.close()
    const { code, err } = await run(['--port', '0'], here.path)
    expect(code).toBe(1)
    expect(err).toContain('newer Postern')
    here.remove()
  })

  test('a token that is made while it runs opens it', async () => {
    const here = folder()
    const server = await start([], here.path)
    const token = (await run(['token', 'add', 'phone'], here.path)).out.trim()
    expect(await eventually(async () => (await statusWith(server.address, token)) === 200)).toBe(true)
    here.remove()
  })

  test('nothing secret is in the arguments of any process', async () => {
    const here = folder()
    const server = await start(['demo'], here.path)
    const token = (await server.until(/pst_[0-9A-Za-z]{32}/))[0]
    const { stdout } = Bun.spawnSync(['ps', '-A', '-o', 'args='])
    expect(stdout.toString()).toContain('worker 0')
    expect(stdout.toString()).not.toContain(token)
    here.remove()
  })
})
