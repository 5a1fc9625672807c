import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { creditAddCommand, creditHistoryCommand, creditListCommand } from '../../src/commands/credit.ts'

let folder = ''
let out: string[] = []
let err: string[] = []
const output = { out: (line: string) => void out.push(line), err: (line: string) => void err.push(line) }
const options = () => ({ config: join(folder, 'postern.yaml'), env: {}, output })
const configure = (more: string) =>
  writeFileSync(join(folder, 'postern.yaml'), `storage: { database: "sqlite:${join(folder, 'c.db')}" }\n${more}`)

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-credit-'))
  out = []
  err = []
  configure('billing: { enabled: true }\ntokens: [{ name: laptop, token: a-token-of-the-file }]\n')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('postern credit', () => {
  test('adds, takes away, lists and remembers', async () => {
    expect(await creditAddCommand('25', { ...options(), note: 'July' })).toBe(0)
    expect(await creditAddCommand('-0.000001', options())).toBe(0)
    expect(err).toEqual(['The credit of the account is now $25.', 'The credit of the account is now $24.999999.'])
    await creditListCommand(options())
    expect(out.join('\n')).toMatch(/the account +\$24\.999999 +\$0/)
    out = []
    await creditHistoryCommand(options())
    expect(out.join('\n')).toMatch(/-\$0\.000001(.|\n)*\$25 +July/)
  })

  test('keeps that of a token apart, and says when it has no effect', async () => {
    expect(await creditAddCommand('$0.5', { ...options(), token: 'laptop' })).toBe(0)
    expect(err.join()).toContain('token laptop is now $0.5')
    expect(err.join()).toContain('billing.balance is "account"')
    configure('')
    await creditAddCommand('1', options())
    expect(err.join()).toContain('billing.enabled')
  })

  test.each(['', 'much', '0', '1e3', '1,5', '--5'])('no amount: %p', async text => {
    expect(await creditAddCommand(text, options())).toBe(2)
    await creditListCommand(options())
    expect(out).toHaveLength(1)
  })

  test('no such token', async () => {
    expect(await creditAddCommand('1', { ...options(), token: 'nobody' })).toBe(2)
    expect(err.join()).toContain('"nobody"')
  })
})
