import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type KeyAddOptions, keyAddCommand, keyListCommand, keyRemoveCommand } from '../../src/commands/key.ts'
import { Abandoned } from '../../src/commands/secret-input.ts'
import { keyCipher } from '../../src/storage/key-cipher.ts'
import { openStore } from '../../src/storage/store.ts'

const KEY = 'sk-of-the-operator-1234567890wxyz'

let folder = ''
let out: string[] = []
let err: string[] = []
const output = { out: (line: string) => void out.push(line), err: (line: string) => void err.push(line) }
const options = (more: KeyAddOptions = {}): KeyAddOptions => ({
  config: join(folder, 'postern.yaml'),
  env: {},
  output,
  read: async () => `${KEY}\n`,
  ...more,
})

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-key-'))
  out = []
  err = []
  configure('')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const path = () => join(folder, 'keys.db')
const configure = (more: string, storage = '') =>
  writeFileSync(join(folder, 'postern.yaml'), `storage: { database: "sqlite:${path()}"${storage} }\n${more}`)

async function stored(secret?: string) {
  const store = await openStore(`sqlite:${path()}`)
  const keys = await store.keys.list()
  const opened = keys.map(key => keyCipher(secret, store.ownSecret).open(key, key))
  await store.close()
  return { keys, opened }
}

describe('postern key add', () => {
  test('seals the key of standard input, for all gateways, and shows nothing of it', async () => {
    expect(await keyAddCommand('openai', options())).toBe(0)
    const { keys, opened } = await stored()
    expect(keys).toMatchObject([{ provider: 'openai', alias: 'default', is_default: false, preview: 'wxyz' }])
    expect(keys[0]?.gateway).toBeUndefined()
    expect(opened).toEqual([KEY])
    expect([...out, ...err].join()).not.toContain('sk-of')
  })

  test('no file of the folder holds the key, and that of the secret is for its owner alone', async () => {
    await keyAddCommand('openai', options())
    expect(readdirSync(folder).sort()).toContain('keys.db.key')
    for (const name of readdirSync(folder))
      expect(readFileSync(join(folder, name), 'latin1')).not.toContain('operator-12')
    expect(statSync(`${path()}.key`).mode & 0o777).toBe(0o600)
  })

  test('with storage.encryption_key no file of ours is made', async () => {
    configure('', ', encryption_key: a-secret-of-the-operator')
    await keyAddCommand('openai', options())
    expect(existsSync(`${path()}.key`)).toBe(false)
    expect((await stored('a-secret-of-the-operator')).opened).toEqual([KEY])
    expect((await stored('another')).opened).toEqual([undefined])
  })

  test('takes it from a variable, with an alias, a gateway and a limit', async () => {
    const more = { env: { MY_KEY: KEY }, fromEnv: 'MY_KEY', alias: 'research', gateway: 'lab', default: true }
    const read = async () => 'not this one'
    expect(await keyAddCommand('claude', options({ ...more, read }))).toBe(2)
    expect(await keyAddCommand('anthropic', options({ ...more, read, rateLimit: 5, rateLimitPeriod: 30 }))).toBe(0)
    const { keys, opened } = await stored()
    expect(keys).toMatchObject([
      {
        provider: 'anthropic',
        alias: 'research',
        gateway: 'lab',
        is_default: true,
        rate_limit: 5,
        rate_limit_period: 30,
      },
    ])
    expect(opened).toEqual([KEY])
  })

  test('a second time it replaces the key and keeps what is not said again', async () => {
    await keyAddCommand('openai', options({ default: true, rateLimit: 7 }))
    const before = (await stored()).keys[0]!
    await keyAddCommand('openai', options({ read: async () => 'sk-the-next-one-abcdefgh' }))
    const { keys, opened } = await stored()
    expect(keys).toMatchObject([
      { id: before.id, created: before.created, is_default: true, rate_limit: 7, preview: 'efgh' },
    ])
    expect(opened).toEqual(['sk-the-next-one-abcdefgh'])
    expect(err.at(-1)).toContain('replaced')
  })

  test('a new default takes over from the old one, on its gateway alone', async () => {
    await keyAddCommand('openai', options({ alias: 'a', default: true }))
    await keyAddCommand('openai', options({ alias: 'lab', gateway: 'lab', default: true }))
    await keyAddCommand('openai', options({ alias: 'b', default: true }))
    const { keys } = await stored()
    expect(keys.filter(key => key.is_default).map(key => key.alias)).toEqual(['b', 'lab'])
  })

  test('takes the credentials of Vertex as JSON, and as base64 in lines', async () => {
    const json = JSON.stringify({ type: 'service_account', private_key: 'x'.repeat(90) }, null, 2)
    await keyAddCommand('google-vertex-ai', options({ read: async () => json }))
    const base64 = Buffer.from(json).toString('base64')
    const lines = base64.replace(/.{76}/g, '$&\n')
    await keyAddCommand('google-vertex-ai', options({ alias: 'packed', read: async () => lines }))
    expect((await stored()).opened).toEqual([json, base64])
  })

  test.each<[string, KeyAddOptions]>([
    ['nothing', { read: async () => ' \n' }],
    ['two lines', { read: async () => 'sk-one\nsk-two' }],
    ['broken JSON', { read: async () => '{"type": ' }],
    ['an unset variable', { fromEnv: 'NOT_THERE' }],
    ['a wrong alias', { alias: 'my key' }],
    ['a wrong gateway', { gateway: 'Lab 1' }],
    ['a wrong limit', { rateLimit: 0 }],
    ['Ctrl-C', { read: () => Promise.reject(new Abandoned()) }],
  ])('%s exits 2 and stores nothing', async (_, more) => {
    expect(await keyAddCommand('openai', options(more))).toBe(2)
    expect(err.join()).not.toContain('sk-')
    expect((await stored()).keys).toEqual([])
  })

  test('an unknown provider exits 2 and names the nearest; one of the file’s own is known', async () => {
    configure('custom_providers: { workstation: { base_url: "http://127.0.0.1:1" } }\n')
    expect(await keyAddCommand('opnai', options())).toBe(2)
    expect(err.at(-1)).toContain('"openai"')
    expect(await keyAddCommand('workstation', options())).toBe(0)
    expect((await stored()).keys).toMatchObject([{ provider: 'custom-workstation' }])
  })

  test('a database in memory is refused, where the key would be lost', async () => {
    writeFileSync(join(folder, 'postern.yaml'), 'storage: { database: "sqlite::memory:" }\n')
    expect(await keyAddCommand('openai', options())).toBe(1)
  })

  test('says that the key of the file goes before it', async () => {
    configure('providers: { openai: { keys: { default: sk-of-the-file } } }\n')
    await keyAddCommand('openai', options())
    expect(err.at(-1)).toContain('that one wins')
  })
})

describe('postern key list', () => {
  test('shows the last characters of the stored and the names of those of the file', async () => {
    configure('providers: { groq: { keys: { default: gsk-of-the-file-12345678 } } }\n')
    await keyAddCommand('openai', options({ alias: 'b', gateway: 'lab', default: true, rateLimit: 9 }))
    expect(await keyListCommand(options())).toBe(0)
    const text = out.join('\n')
    expect(text).toMatch(/groq +default +all +in the file/)
    expect(text).toMatch(/openai +b \(default\) +lab +…wxyz +9 \/ 60 s +\d{4}-\d\d-\d\d/)
    expect(text).not.toContain('sk-')
    expect(text).not.toContain('5678')
  })

  test('of a short key not even the end is kept', async () => {
    await keyAddCommand('openai', options({ read: async () => 'short-key' }))
    expect((await stored()).keys[0]?.preview).toBe('')
  })
})

describe('postern key remove', () => {
  test('removes the one of that alias and gateway alone', async () => {
    await keyAddCommand('openai', options())
    await keyAddCommand('openai', options({ gateway: 'lab' }))
    expect(await keyRemoveCommand('openai', options())).toBe(0)
    expect((await stored()).keys).toMatchObject([{ gateway: 'lab' }])
    expect(await keyRemoveCommand('openai', options())).toBe(1)
    expect(err.at(-1)).toContain('--gateway lab')
    expect(await keyRemoveCommand('openai', options({ gateway: 'lab' }))).toBe(0)
    expect((await stored()).keys).toEqual([])
  })

  test('a key of the file has to be removed there; one that is nowhere is not found', async () => {
    configure('providers: { openai: { keys: { default: sk-of-the-file } } }\n')
    expect(await keyRemoveCommand('openai', options())).toBe(1)
    expect(err.at(-1)).toContain('configuration')
    expect(await keyRemoveCommand('anthropic', options())).toBe(1)
    expect(await keyRemoveCommand('nobody-knows', options())).toBe(2)
  })

  test('the key of a provider that the file no longer names can go', async () => {
    configure('custom_providers: { workstation: { base_url: "http://127.0.0.1:1" } }\n')
    await keyAddCommand('custom-workstation', options())
    configure('')
    expect(await keyRemoveCommand('custom-workstation', options())).toBe(0)
  })
})

describe('on the command line', () => {
  const run = async (words: string[], stdin: string) => {
    const main = join(import.meta.dir, '../../src/main.ts')
    const child = Bun.spawn([process.execPath, main, 'key', ...words, '--config', join(folder, 'postern.yaml')], {
      stdin: Buffer.from(stdin),
      stdout: 'pipe',
      stderr: 'pipe',
      env: { ...process.env, FROM_HERE: 'sk-of-the-variable-12345' },
    })
    const [text, errors] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
    return { code: await child.exited, text, errors }
  }

  test('the key comes by standard input or a variable, and never as a word', async () => {
    expect(await run(['add', 'openai', '--gateway', 'lab', '--default'], `${KEY}\n`)).toMatchObject({
      code: 0,
      text: '',
    })
    expect((await run(['add', 'groq', '--from-env', 'FROM_HERE', '--rate-limit', '3'], '')).code).toBe(0)
    expect((await run(['add', 'mistral', 'sk-as-a-word'], '')).code).toBe(2)
    expect((await run(['add', 'mistral', '--rate-limit', 'many'], KEY)).code).toBe(2)
    expect(await stored()).toMatchObject({
      keys: [
        { provider: 'groq', rate_limit: 3 },
        { provider: 'openai', gateway: 'lab', is_default: true },
      ],
      opened: ['sk-of-the-variable-12345', KEY],
    })
    expect((await run(['list'], '')).text).toMatch(/openai +default \(default\) +lab/)
    expect((await run(['remove', 'openai', '--gateway', 'lab'], '')).code).toBe(0)
  })
})
