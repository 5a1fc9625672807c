import { Database } from 'bun:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { backupCommand } from '../../src/commands/backup.ts'
import { openStore } from '../../src/storage/store.ts'

let folder = ''
let out: string[] = []
let err: string[] = []
const output = { out: (line: string) => void out.push(line), err: (line: string) => void err.push(line) }
const options = () => ({ config: join(folder, 'postern.yaml'), env: {}, output })
const path = (name = 'p.db') => join(folder, name)
const configure = (database: string, more = '') =>
  writeFileSync(join(folder, 'postern.yaml'), `storage: { database: "${database}"${more} }\n`)

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-backup-'))
  out = []
  err = []
  configure(`sqlite:${path()}`)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const token = (name: string) => ({ name, hash: name, permissions: ['run' as const], created: 1 })

describe('postern backup', () => {
  test('copies what is there while others write, in a file for its owner alone', async () => {
    const store = await openStore(`sqlite:${path()}`)
    await store.tokens.add(token('before'))
    const transaction = store.database.transaction(async sql => {
      await sql.run("UPDATE tokens SET name = 'unfinished'")
      expect(await backupCommand(path('copy.db'), options())).toBe(0)
    })
    await transaction
    await store.tokens.add(token('after'))
    expect(out).toEqual([path('copy.db')])
    expect(statSync(path('copy.db')).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder).filter(name => name.startsWith('copy.db'))).toEqual(['copy.db'])
    const copy = await openStore(`sqlite:${path('copy.db')}`)
    expect((await copy.tokens.list()).map(({ name }) => name)).toEqual(['before'])
    expect(await copy.database.get('PRAGMA integrity_check')).toEqual({ integrity_check: 'ok' })
    await copy.close()
    await store.close()
  })

  test('writes over nothing, and leaves nothing behind where it fails', async () => {
    await (await openStore(`sqlite:${path()}`)).close()
    writeFileSync(path('letter'), 'Dear backup')
    expect(await backupCommand(path('letter'), options())).toBe(1)
    expect(err.join()).toContain('is there already')
    expect(readFileSync(path('letter'), 'utf8')).toBe('Dear backup')
    expect(await backupCommand(path('no/such/copy.db'), options())).toBe(1)
    writeFileSync(path(), 'Dear database, you are not one. '.repeat(200))
    expect(await backupCommand(path('copy.db'), options())).toBe(1)
    expect(readdirSync(folder).some(name => name.startsWith('copy'))).toBe(false)
  })

  test('makes no database where there is none, and does not bring an old one up to date', async () => {
    expect(await backupCommand(path('copy.db'), options())).toBe(1)
    expect(err.join()).toContain('no database')
    expect(existsSync(path())).toBe(false)
    const old = new Database(path())
    old.run('CREATE TABLE postern_schema (one INTEGER PRIMARY KEY, version INTEGER NOT NULL)')
    old.run('INSERT INTO postern_schema VALUES (1, 0)')
    old.close()
    expect(await backupCommand(path('copy.db'), options())).toBe(0)
    for (const name of ['p.db', 'copy.db']) {
      const database = new Database(path(name), { readonly: true })
      expect(database.query('SELECT name FROM sqlite_schema').all()).toEqual([{ name: 'postern_schema' }])
      database.close()
    }
  })

  test('says what else has to be kept', async () => {
    const store = await openStore(`sqlite:${path()}`)
    await backupCommand(path('1.db'), options())
    expect(err.join()).not.toContain('key')
    store.ownSecret.make()
    await backupCommand(path('2.db'), options())
    expect(err.join()).toContain(`${path()}.key`)
    configure(`sqlite:${path()}`, ', encryption_key: a-secret-of-the-operator')
    await backupCommand(path('3.db'), options())
    expect(err.at(-1)).toContain('storage.encryption_key')
    expect(err.join()).not.toContain('a-secret')
    await store.close()
  })

  test('of a PostgreSQL names the program that does it, and no password', async () => {
    configure('postgres://ferret:hunter22@db.lan/postern')
    expect(await backupCommand(undefined, options())).toBe(2)
    expect(err.join()).toContain('pg_dump')
    expect(err.join()).toContain('postgres://db.lan/postern')
    expect(err.join()).not.toMatch(/hunter22|ferret/)
    configure('sqlite::memory:')
    expect(await backupCommand(undefined, options())).toBe(1)
  })
})
