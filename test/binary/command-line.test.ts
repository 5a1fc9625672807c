import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import manifest from '../../package.json' with { type: 'json' }
import { executable, folder, run } from './executable.ts'

const here = folder()
afterAll(here.remove)
setDefaultTimeout(30_000)

describe('the command line of the executable', () => {
  test('--help lists every command with examples', async () => {
    const { code, out } = await run(['--help'], here.path)
    expect(code).toBe(0)
    for (const command of ['serve', 'demo', 'check', 'init', 'schema', 'openapi', 'token', 'version']) {
      expect(out).toMatch(new RegExp(`^ {2}${command}\\b`, 'm'))
    }
    expect(out).toContain('Examples:')
  })

  test.each(['serve', 'demo', 'check', 'init', 'schema', 'openapi'])('%s --help has examples', async command => {
    const { code, out } = await run([command, '--help'], here.path)
    expect(code).toBe(0)
    expect(out).toContain(`postern ${command}`)
    expect(out).toContain('Examples:')
  })

  test('version and --version give the version of the package', async () => {
    expect((await run(['--version'], here.path)).out).toBe(`${manifest.version}\n`)
    const { code, out } = await run(['version'], here.path)
    expect(code).toBe(0)
    expect(out).toStartWith(`postern ${manifest.version} (`)
  })

  test.each(['schema', 'openapi', 'openapi --yaml'])('%s is silent when its reader stops early', command => {
    const pipe = ['sh', '-c', `"${executable}" ${command} | head -c 10`]
    const { stdout, stderr } = Bun.spawnSync(pipe, { cwd: here.path })
    expect([stdout.length, stderr.toString()]).toEqual([10, ''])
  })

  test('a mistyped command exits 2 and is told the nearest', async () => {
    const { code, out, err } = await run(['chek'], here.path)
    expect(code).toBe(2)
    expect(out).toBe('')
    expect(err).toContain("unknown command 'chek'")
    expect(err).toContain('Did you mean check?')
  })

  test('a mistyped option exits 2 and is told the nearest, also without a command', async () => {
    for (const words of [
      ['serve', '--confg', 'x.yaml'],
      ['--confg', 'x.yaml'],
    ]) {
      const { code, err } = await run(words, here.path)
      expect(code).toBe(2)
      expect(err).toContain('Did you mean --config?')
    }
  })

  test.each([[['serve', 'now']], [['serve', '--port', '70000']], [['token']], [['token', 'add']], [['worker', '0']]])(
    '%j exits 2',
    async words => {
      expect((await run(words, here.path)).code).toBe(2)
    },
  )

  test('a faulty configuration exits 2 with its place, for check and for serve', async () => {
    const faulty = folder({ 'postern.yaml': 'server:\n  port: soon\n' })
    for (const words of [['check'], ['serve'], []]) {
      const { code, err } = await run(words, faulty.path)
      expect(code).toBe(2)
      expect(err).toContain('postern.yaml:2:9 server.port: ')
    }
    faulty.remove()
  })

  test('a configuration that is named and missing exits 2', async () => {
    const { code, err } = await run(['serve', '--config', 'elsewhere.yaml'], here.path)
    expect(code).toBe(2)
    expect(err).toContain('elsewhere.yaml')
  })

  test('schema and openapi print JSON', async () => {
    const schema = JSON.parse((await run(['schema'], here.path)).out)
    expect(schema.properties.server).toBeDefined()
    const document = JSON.parse((await run(['openapi'], here.path)).out)
    expect(document.openapi).toStartWith('3.')
  })

  test('init writes a file that check finds fine', async () => {
    const fresh = folder()
    expect((await run(['init'], fresh.path)).code).toBe(0)
    expect(existsSync(join(fresh.path, 'postern.yaml'))).toBe(true)
    expect((await run(['check'], fresh.path)).code).toBe(0)
    fresh.remove()
  })
})

describe('postern token of the executable', () => {
  test('add prints the secret alone on standard output; list and remove know the name', async () => {
    const fresh = folder()
    const made = await run(['token', 'add', 'laptop', '--permissions', 'run,read', '--gateways', 'one'], fresh.path)
    expect(made.code).toBe(0)
    expect(made.out).toMatch(/^pst_[0-9A-Za-z]{32}\n$/)
    const listed = await run(['token', 'list'], fresh.path)
    expect(listed.out).toMatch(/laptop +run,read +one/)
    expect(listed.out).not.toContain('pst_')
    expect((await run(['token', 'add', 'laptop'], fresh.path)).code).toBe(1)
    expect((await run(['token', 'remove', 'laptop'], fresh.path)).code).toBe(0)
    expect((await run(['token', 'remove', 'laptop'], fresh.path)).code).toBe(1)
    fresh.remove()
  })

  test('a database of another kind exits 2 and does not show its password', async () => {
    const other = folder({ 'postern.yaml': 'storage:\n  database: mysql://me:hunter22@db/postern\n' })
    const { code, err } = await run(['token', 'list'], other.path)
    expect(code).toBe(2)
    expect(err).toContain('storage.database')
    expect(err).not.toContain('hunter22')
    other.remove()
  })
})
