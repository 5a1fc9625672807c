import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { endAll, eventually, folder, start, statusWith } from './executable.ts'

afterEach(endAll)
// Processes start and stop here, and the machine may be busy.
setDefaultTimeout(30_000)

const fileWith = (token: string) => `tokens: [{ name: mine, token: ${token} }]\n`

describe('a configuration that changes while the executable runs', () => {
  test('an edited file takes effect by itself, written in place or renamed over', async () => {
    const here = folder({ 'postern.yaml': fileWith('the-first-token') })
    const server = await start([], here.path)
    expect(await statusWith(server.address, 'the-first-token')).toBe(200)
    writeFileSync(join(here.path, 'postern.yaml'), fileWith('the-second-token'))
    expect(await eventually(async () => (await statusWith(server.address, 'the-second-token')) === 200)).toBe(true)
    expect(await statusWith(server.address, 'the-first-token')).toBe(401)
    writeFileSync(join(here.path, 'next.yaml'), fileWith('the-third-token'))
    renameSync(join(here.path, 'next.yaml'), join(here.path, 'postern.yaml'))
    expect(await eventually(async () => (await statusWith(server.address, 'the-third-token')) === 200)).toBe(true)
    here.remove()
  })

  test('SIGHUP reads it again, with the files that it refers to', async () => {
    const here = folder({ 'postern.yaml': fileWith(`"\${file:./secret}"`), secret: 'the-old-secret\n' })
    const server = await start([], here.path)
    expect(await statusWith(server.address, 'the-old-secret')).toBe(200)
    writeFileSync(join(here.path, 'secret'), 'the-new-secret\n')
    server.signal('SIGHUP')
    expect(await eventually(async () => (await statusWith(server.address, 'the-new-secret')) === 200)).toBe(true)
    await server.until(/configuration read again/)
    here.remove()
  })

  test('a faulty file changes nothing and is logged with its place; a new worker goes on with the last good one', async () => {
    const here = folder({ 'postern.yaml': fileWith('a-lasting-token') })
    const server = await start([], here.path)
    writeFileSync(join(here.path, 'postern.yaml'), `${fileWith('a-broken-token')}server: { prot: 1 }\n`)
    await server.until(/"line":2.*configuration not taken over/)
    expect(await statusWith(server.address, 'a-lasting-token')).toBe(200)
    const [worker = 0] = server.workers()
    process.kill(worker, 'SIGKILL')
    await server.until(/starting it again/)
    expect(await eventually(async () => (await statusWith(server.address, 'a-lasting-token')) === 200)).toBe(true)
    expect(await statusWith(server.address, 'a-broken-token')).toBe(401)
    here.remove()
  })

  test('what only a start can change is said', async () => {
    const here = folder({ 'postern.yaml': fileWith('a-lasting-token') })
    const server = await start([], here.path)
    writeFileSync(join(here.path, 'postern.yaml'), `${fileWith('a-lasting-token')}server: { workers: 3 }\n`)
    const line = await server.until(/.*change only at the next start/)
    expect(line[0]).toContain('server.workers')
    here.remove()
  })
})
