import { afterAll, afterEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { StorageError } from '../../src/storage/errors.ts'
import { migrate } from '../../src/storage/migrations.ts'
import { type NewToken, openStore, type Store } from '../../src/storage/store.ts'
import { hashToken, newToken } from '../../src/storage/token-secret.ts'
import { closeDatabases, eachDatabase, openAddress } from '../support/databases.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-storage-'))
afterAll(async () => {
  await closeDatabases()
  rmSync(folder, { recursive: true, force: true })
})

const token = (name: string, rest: Partial<NewToken> = {}): NewToken => ({
  name,
  hash: hashToken(`secret of ${name}`),
  permissions: ['run'],
  created: 1_750_000_000_000,
  ...rest,
})

async function fault(work: () => unknown): Promise<StorageError> {
  try {
    await work()
  } catch (error) {
    expect(error).toBeInstanceOf(StorageError)
    return error as StorageError
  }
  throw new Error('nothing was thrown')
}

describe.each(eachDatabase)('%s: openStore', (_, kind) => {
  let store: Store | undefined
  afterEach(async () => {
    await store?.close()
    store = undefined
  })

  test('keeps tokens from one opening to the next, whole', async () => {
    const path = await kind.fresh()
    const one = await openStore(path)
    const kept = [
      await one.tokens.add(token('b', { permissions: ['run', 'edit'], gateways: ['default'], created: 2 })),
      await one.tokens.add(token('a', { created: 3 })),
    ]
    await one.close()
    const two = await openStore(path)
    expect(await two.tokens.list()).toEqual(kept)
    expect(kept).toMatchObject([
      { name: 'b', permissions: ['run', 'edit'], gateways: ['default'], created: 2 },
      { name: 'a', permissions: ['run'], created: 3 },
    ])
    await two.close()
  })

  test('finds a token by the hash of its secret, until it is removed', async () => {
    store = await openStore(await kind.fresh())
    await store.tokens.add(token('phone'))
    expect((await store.tokens.findByHash(hashToken('secret of phone')))?.name).toBe('phone')
    expect(await store.tokens.findByHash(hashToken('another'))).toBeUndefined()
    expect(await store.tokens.remove('phone')).toBe(true)
    expect(await store.tokens.remove('phone')).toBe(false)
    expect(await store.tokens.findByHash(hashToken('secret of phone'))).toBeUndefined()
  })

  test('refuses a second token of the same name', async () => {
    const { tokens, close } = await openStore(await kind.fresh())
    await tokens.add(token('phone'))
    const { message } = await fault(() => tokens.add(token('phone', { hash: hashToken('other') })))
    expect(message).toContain('"phone"')
    await close()
  })

  test('says whether it is open', async () => {
    const store = await openStore(await kind.fresh())
    expect(store.isOpen()).toBe(true)
    await store.close()
    expect(store.isOpen()).toBe(false)
    await store.close()
  })
})

describe('openStore', () => {
  test('the file and its companions are for their owner alone', async () => {
    const path = join(folder, 'mode.db')
    const store = await openStore(`sqlite:${path}`)
    await store.tokens.add(token('phone'))
    for (const file of [path, `${path}-wal`, `${path}-shm`]) expect(statSync(file).mode & 0o777).toBe(0o600)
    await store.close()
  })

  test.each(['postgres:me:hunter22@db/postern', 'postgres://me:hunter22@[/x', 'mysql:x', 'postern.db', 'sqlite:'])(
    'refuses %s as a fault of the configuration, without its password',
    async database => {
      const { kind, message } = await fault(() => openStore(database))
      expect(kind).toBe('configuration')
      expect(message).toContain('sqlite:<path>')
      expect(message).not.toContain('hunter22')
    },
  )

  test('a place where no file can be is a fault in words', async () => {
    const { kind, message } = await fault(() => openStore(`sqlite:${folder}/no/such/folder/postern.db`))
    expect(kind).toBe('use')
    expect(message).toContain('no/such/folder')
  })

  test('a file that is no database is left as it is', async () => {
    const path = join(folder, 'letter.db')
    await Bun.write(path, 'Dear database, you are not one. '.repeat(200))
    await fault(() => openStore(`sqlite:${path}`))
    expect(await Bun.file(path).text()).toStartWith('Dear database')
  })
})

describe.each(eachDatabase)('%s: migrations', (_, kind) => {
  const one = 'CREATE TABLE one (a BIGINT)'
  const opened = async () => openAddress(await kind.fresh())

  test('run once each, forward only', async () => {
    const database = await opened()
    await migrate(database, 'memory', [one])
    await migrate(database, 'memory', [one, 'ALTER TABLE one ADD COLUMN b TEXT'])
    await migrate(database, 'memory', [one, 'ALTER TABLE one ADD COLUMN b TEXT'])
    expect(await database.all('SELECT a, b FROM one')).toEqual([])
  })

  test('one that fails leaves nothing of itself', async () => {
    const database = await opened()
    await expect(migrate(database, 'memory', [one, 'NO SUCH WORD'])).rejects.toThrow()
    for (const table of ['one', 'postern_schema'])
      await expect(database.all(`SELECT * FROM ${table}`)).rejects.toThrow(table)
  })

  test('a database that a newer Postern wrote is refused and not touched', async () => {
    const address = await kind.fresh()
    await (await openStore(address)).close()
    const database = await openAddress(address)
    await database.run('UPDATE postern_schema SET version = version + 1')
    const version = await database.all('SELECT * FROM postern_schema')
    const refusal = await fault(() => openStore(address))
    expect(refusal.kind).toBe('use')
    expect(refusal.message).toContain('newer Postern')
    expect(await database.all('SELECT * FROM postern_schema')).toEqual(version)
  })

  test('several processes that open a new one at once all find it ready', async () => {
    const address = await kind.fresh()
    const program = `
      import { openStore } from ${JSON.stringify(join(import.meta.dir, '../../src/storage/store.ts'))}
      const store = await openStore(${JSON.stringify(address)})
      await store.tokens.add({ name: process.argv[1], hash: process.argv[1], permissions: ['run'], created: 1 })
      await store.close()`
    const names = ['1', '2', '3', '4', '5', '6']
    const children = names.map(name => Bun.spawn([process.execPath, '-e', program, name], { stderr: 'pipe' }))
    for (const child of children) {
      const said = await new Response(child.stderr).text()
      expect([await child.exited, said]).toEqual([0, ''])
    }
    const store = await openStore(address)
    expect((await store.tokens.list()).map(({ name }) => name)).toEqual(names)
    await store.close()
  }, 30_000)
})

describe('a new token', () => {
  test('is pst_ and 32 letters and digits, never the same twice', () => {
    const made = new Set(Array.from({ length: 500 }, newToken))
    expect(made.size).toBe(500)
    for (const one of made) expect(one).toMatch(/^pst_[0-9A-Za-z]{32}$/)
  })

  test('uses every letter about equally often', () => {
    const counts = new Map<string, number>()
    for (let n = 0; n < 1_000; n++)
      for (const letter of newToken().slice(4)) counts.set(letter, (counts.get(letter) ?? 0) + 1)
    // 32,000 letters over 62: 516 each, with a deviation of about 23.
    expect(counts.size).toBe(62)
    for (const count of counts.values()) expect(Math.abs(count - 516)).toBeLessThan(150)
  })

  test('is kept as SHA-256 in hex', () => {
    expect(hashToken('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  })
})
