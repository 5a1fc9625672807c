// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the configuration file
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkCommand } from '../../src/commands/check.ts'
import { initCommand } from '../../src/commands/init.ts'
import { schemaCommand } from '../../src/commands/schema.ts'
import { loadConfig } from '../../src/config/load.ts'

const knownProviders = ['openai', 'anthropic', 'google-ai-studio', 'azure-openai', 'aws-bedrock', 'ollama']

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-commands-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function listener() {
  const out: string[] = []
  const err: string[] = []
  return {
    out,
    err,
    output: { out: (line: string) => void out.push(line), err: (line: string) => void err.push(line) },
  }
}

const inside = (name: string) => {
  const path = join(folder, name)
  mkdirSync(path, { recursive: true })
  return path
}

describe('check', () => {
  const check = async (text: string | undefined, env: Record<string, string> = {}) => {
    const here = inside(`check-${Bun.randomUUIDv7()}`)
    if (text !== undefined) writeFileSync(join(here, 'postern.yaml'), text)
    const { out, err, output } = listener()
    return { code: await checkCommand({ folder: here, env, knownProviders, output }), out, err }
  }

  test('says what is configured and never a key', async () => {
    const { code, out, err } = await check(`
tokens: [{ name: laptop, token: pst_hidden_token, gateways: [default] }]
providers: { openai: { keys: { default: sk-hidden, research: sk-hidden-too } }, ollama: {} }
custom_providers: { lan: { base_url: "http://box:8000/v1" } }
gateways: { open: { authentication: false, zdr: true, otel: [{ url: "https://me:hidden@traces.test/v1?key=hidden" }] } }
server: { domains: { ai.home.test: open }, metrics: open }
billing: { enabled: true }
logpush: [{ url: "https://logs.test/in?key=hidden", headers: { x-key: hidden } }, { url: "file:./ai.ndjson", gateway: open }]
`)
    expect(code).toBe(0)
    expect(out[0]).toBe('postern.yaml: fine')
    const said = out.join('\n')
    for (const part of [
      'openai (default, research)',
      'ollama (no key in the file)',
      'custom-lan (openai-chat, no key in the file)',
      'default; open (open to anyone)',
      'laptop (run on default)',
      'ai.home.test (open)',
      'credit of the account pays',
      'open to anyone',
      'open (https://traces.test/v1)',
      'https://logs.test/in (gateways with logpush); file:./ai.ndjson (open)',
    ]) {
      expect(said).toContain(part)
    }
    expect(said).not.toContain('hidden')
    expect(err).toEqual([
      'postern.yaml:5:44 gateways.open.zdr: accepted, but has no effect yet in this version (warning)',
    ])
  })

  test('says every fault and ends with 2', async () => {
    const { code, out, err } = await check('server: { prot: 1 }\naccount: chat\n')
    expect(code).toBe(2)
    expect(out).toEqual([])
    expect(err).toEqual([
      'postern.yaml:1:11 server.prot: unknown key "prot"; did you mean "port"?',
      'postern.yaml:2:10 account: an account cannot be called "chat": /v1/chat is a short address',
      '2 problems found',
    ])
  })

  test('without a file it is the environment that counts', async () => {
    const { code, out } = await check(undefined, { ANTHROPIC_API_KEY: 'sk-hidden' })
    expect(code).toBe(0)
    expect(out[0]).toBe('no postern.yaml here: the settings come from the environment')
    expect(out.join('\n')).toContain('anthropic (default)')
  })

  test('a file that is named and not there', async () => {
    const { err, output } = listener()
    expect(await checkCommand({ config: join(folder, 'none.yaml'), env: {}, output })).toBe(2)
    expect(err[0]).toBe(`${join(folder, 'none.yaml')}: cannot read the configuration: there is no such file`)
  })
})

describe('init', () => {
  const init = async (here: string, options: { force?: boolean } = {}, path?: string) => {
    const { out, err, output } = listener()
    return { code: await initCommand(path, { folder: here, output, ...options }), out, err }
  }

  test('writes a file that is fine, for its owner alone, with a token of its own', async () => {
    const here = inside('init')
    expect((await init(here)).code).toBe(0)
    const path = join(here, 'postern.yaml')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const { config, warnings } = loadConfig({ path, env: {}, knownProviders })
    expect(warnings).toEqual([])
    const other = inside('init-other')
    await init(other)
    expect(readFileSync(join(other, 'postern.yaml'), 'utf8')).not.toBe(readFileSync(path, 'utf8'))
    expect(config.tokens).toEqual([
      { name: 'first', token: expect.stringMatching(/^pst_[0-9A-Za-z]{32}$/), permissions: ['run', 'read', 'edit'] },
    ])
    const { output } = listener()
    expect(await checkCommand({ folder: here, env: {}, knownProviders, output })).toBe(0)
  })

  test('every setting that is commented out is right, too', async () => {
    const here = inside('init-all')
    await init(here)
    const path = join(here, 'postern.yaml')
    const lines = readFileSync(path, 'utf8').split('\n')
    // A setting stands behind a bare #, or in the block of one that does.
    let block = false
    const all = lines.map(line => {
      block = /^\s*#(?:[a-z-]| {2})/.test(line) && (block || /^\s*#[a-z-]/.test(line))
      return block ? line.replace('#', '') : line
    })
    expect(all.filter((line, index) => line !== lines[index]).length).toBeGreaterThan(50)
    writeFileSync(path, all.join('\n'))
    const { config } = loadConfig({ path, env: {}, knownProviders })
    expect(config.server.workers).toBe(2)
    expect(config.server.domains).toEqual({ 'llm.example.com': 'default' })
    expect(config.storage.encryption_key).toBe('a-long-secret-of-your-own')
    expect(config.tokens).toHaveLength(2)
    expect(config.tokens[1]).toMatchObject({ rate_limit: 60, budget: 20 })
    expect(config.gateways.default).toMatchObject({ byok_only: true, retry_max_attempts: 3 })
    expect(config.billing).toMatchObject({ enabled: true, margin: 0.05 })
    expect(Object.keys(config.providers)).toContain('aws-bedrock')
    expect(config.custom_providers.workstation?.headers).toEqual({ 'x-team': 'home' })
    expect(config.prices['openai/my-finetune']).toEqual({ input: 1.5, output: 6 })
    expect(config.gateways.experiments).toMatchObject({ collect_logs: false })
  })

  test('leaves a file alone that is there, unless forced', async () => {
    const here = inside('init-there')
    const path = join(here, 'mine.yaml')
    writeFileSync(path, 'account: mine\n', { mode: 0o644 })
    const refused = await init(here, {}, 'mine.yaml')
    expect(refused.code).toBe(2)
    expect(refused.err[0]).toContain('--force')
    expect(readFileSync(path, 'utf8')).toBe('account: mine\n')
    expect((await init(here, { force: true }, 'mine.yaml')).code).toBe(0)
    expect(readFileSync(path, 'utf8')).toContain('pst_')
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  test('leaves a dangling link alone', async () => {
    const here = inside('init-link')
    symlinkSync(join(here, 'nowhere'), join(here, 'postern.yaml'))
    expect((await init(here)).code).toBe(2)
  })

  test('a folder that is not there is a fault at run time', async () => {
    const { code, err } = await init(inside('init-folder'), {}, 'none/postern.yaml')
    expect(code).toBe(1)
    expect(err[0]).toBe('cannot write none/postern.yaml: there is no such file')
  })
})

test('schema prints one JSON document', async () => {
  const { out, output } = listener()
  expect(await schemaCommand({ knownProviders, output })).toBe(0)
  expect(JSON.parse(out.join('\n'))).toMatchObject({ type: 'object', properties: { server: expect.any(Object) } })
})
