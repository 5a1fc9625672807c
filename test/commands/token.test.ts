import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tokenAddCommand, tokenListCommand, tokenRemoveCommand } from '../../src/commands/token.ts'
import { openStore } from '../../src/storage/store.ts'
import { hashToken } from '../../src/storage/token-secret.ts'

let folder = ''
let out: string[] = []
let err: string[] = []
const output = { out: (line: string) => void out.push(line), err: (line: string) => void err.push(line) }
const options = () => ({ config: join(folder, 'postern.yaml'), env: {}, output })

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-token-'))
  out = []
  err = []
  configure('')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const database = () => `sqlite:${join(folder, 'tokens.db')}`
const configure = (more: string) =>
  writeFileSync(join(folder, 'postern.yaml'), `storage: { database: "${database()}" }\n${more}`)

async function stored() {
  const store = await openStore(database())
  const tokens = await store.tokens.list()
  await store.close()
  return tokens
}

describe('postern token', () => {
  test('add keeps the hash of what it prints, with run alone on all gateways', async () => {
    expect(await tokenAddCommand('laptop', options())).toBe(0)
    expect(out).toHaveLength(1)
    const [kept] = await stored()
    expect(kept).toMatchObject({ name: 'laptop', hash: hashToken(out[0] ?? ''), permissions: ['run'] })
    expect(kept?.gateways).toBeUndefined()
    expect(err.join()).not.toContain(out[0] ?? 'none')
  })

  test('add takes permissions and gateways', async () => {
    expect(await tokenAddCommand('ci', { ...options(), permissions: 'run, edit,run', gateways: 'a,b' })).toBe(0)
    expect(await stored()).toMatchObject([{ permissions: ['run', 'edit'], gateways: ['a', 'b'] }])
  })

  test.each([{ permissions: 'run,fly' }, { permissions: '' }, { gateways: ' , ' }])(
    'add with %j exits 2 and makes nothing',
    async wrong => {
      expect(await tokenAddCommand('ci', { ...options(), ...wrong })).toBe(2)
      expect(out).toEqual([])
      expect(await stored()).toEqual([])
    },
  )

  test('add refuses a name that the store or the file has', async () => {
    configure('tokens: [{ name: mine, token: a-token-of-the-file }]\n')
    await tokenAddCommand('laptop', options())
    expect(await tokenAddCommand('laptop', options())).toBe(1)
    expect(await tokenAddCommand('mine', options())).toBe(1)
    expect(await stored()).toHaveLength(1)
  })

  test('add refuses a database in memory, where the token would be lost', async () => {
    writeFileSync(join(folder, 'postern.yaml'), 'storage: { database: "sqlite::memory:" }\n')
    expect(await tokenAddCommand('laptop', options())).toBe(1)
    expect(out).toEqual([])
  })

  test('list shows those of the file and of the store, and no secret', async () => {
    configure('tokens: [{ name: mine, token: a-token-of-the-file, gateways: [default] }]\n')
    await tokenAddCommand('laptop', options())
    const [secret = ''] = out.splice(0)
    expect(await tokenListCommand(options())).toBe(0)
    const text = out.join('\n')
    expect(text).toMatch(/mine +run +default +in the file/)
    expect(text).toMatch(/laptop +run +all/)
    expect(text).not.toContain(secret)
    expect(text).not.toContain('a-token-of-the-file')
  })

  test('remove knows its limits', async () => {
    configure('tokens: [{ name: mine, token: a-token-of-the-file }]\n')
    await tokenAddCommand('laptop', options())
    expect(await tokenRemoveCommand('laptop', options())).toBe(0)
    expect(await stored()).toEqual([])
    expect(await tokenRemoveCommand('laptop', options())).toBe(1)
    expect(await tokenRemoveCommand('mine', options())).toBe(1)
    expect(err.at(-1)).toContain('configuration')
  })

  test('a faulty configuration exits 2', async () => {
    configure('server: { port: soon }\n')
    expect(await tokenListCommand(options())).toBe(2)
    expect(err.join()).toContain('server.port')
  })
})
