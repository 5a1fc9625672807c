import { afterAll, describe, expect, test } from 'bun:test'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '../../src/config/load.ts'
import { ConfigError } from '../../src/config/problems.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-config-logpush-'))
afterAll(() => rmSync(folder, { recursive: true }))

function load(file: unknown) {
  writeFileSync(join(folder, 'postern.yaml'), typeof file === 'string' ? file : JSON.stringify(file))
  return loadConfig({ folder, env: {} })
}
const words = (list: { path: string; message: string }[]) => list.map(({ path, message }) => `${path}: ${message}`)
function faults(file: unknown): string[] {
  try {
    load(file)
  } catch (error) {
    if (error instanceof ConfigError) return words(error.problems)
    throw error
  }
  return []
}

const { publicKey } = generateKeyPairSync('rsa', {
  modulusLength: 2_048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})

describe('logpush in the file', () => {
  test('arrives as it is written', () => {
    const logpush = [
      { url: 'file:./ai.ndjson', every: 5 },
      { url: 'https://logs.example.com/in', gateway: 'team', headers: { authorization: 'Bearer x' } },
    ]
    const team = { logpush: true, logpush_public_key: publicKey }
    const { config, warnings } = load({ logpush, gateways: { team } })
    expect(warnings).toEqual([])
    expect(config.logpush).toEqual(logpush as never)
    expect(config.gateways.team).toMatchObject(team)
  })

  test('waits beside the database, in ./postern-spool without one, or where the file says', () => {
    const spoolOf = (storage: object) => load({ storage }).config.storage.spool
    expect(spoolOf({ database: 'sqlite:/data/p.db' })).toBe('/data/p.db.spool')
    expect(spoolOf({ database: 'postgres://u:p@h/d' })).toBe('./postern-spool')
    expect(spoolOf({ database: 'sqlite::memory:' })).toBe('./postern-spool')
    expect(spoolOf({ database: 'sqlite:/data/p.db', spool: '/var/spool/p' })).toBe('/var/spool/p')
  })

  test('two receivers that could not be told apart, and a key that encrypts nothing, are faults', () => {
    const twice = { url: 'https://logs.example.com/in' }
    expect(faults({ logpush: [twice, { ...twice, gateway: 'default' }, { ...twice, every: 3 }] })).toEqual([
      'logpush.2: another receiver has the same url and the same gateway',
    ])
    for (const logpush_public_key of ['-----BEGIN PUBLIC KEY-----', publicKey.slice(0, 200)])
      expect(faults({ gateways: { default: { logpush_public_key } } })).toEqual([
        'gateways.default.logpush_public_key: expected an RSA public key of at least 2048 bits in PEM',
      ])
  })

  test('records that go nowhere, and a receiver of a gateway that the file does not know, are warned of', () => {
    const logpush = [{ url: 'file:./a', gateway: 'tema' }]
    expect(words(load({ logpush, gateways: { team: { logpush: true } } }).warnings).toSorted()).toEqual([
      'gateways.team.logpush: no receiver under "logpush" takes the records of this gateway',
      'logpush.0.gateway: the file declares no gateway of this name',
    ])
    expect(load({ gateways: { team: { logpush: false } } }).warnings).toEqual([])
  })

  test('a fault repeats no secret of an address', () => {
    const [fault] = faults({ logpush: [{ url: 'htps://logs.example.com/in?key=very-secret' }] })
    expect(fault).toStartWith('logpush.0.url: expected file:<path>, s3://<bucket>/<prefix> or an address')
    expect(fault).not.toContain('very-secret')
  })
})

test('server.metrics is token unless the file opens it', () => {
  expect(load({}).config.server.metrics).toBe('token')
  expect(load({ server: { metrics: 'open' } }).config.server.metrics).toBe('open')
  expect(faults({ server: { metrics: 'closed' } })).toEqual([
    'server.metrics: expected "token" or "open", found "closed"',
  ])
})
