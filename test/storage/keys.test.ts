import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { StorageError } from '../../src/storage/errors.ts'
import { keyCipher } from '../../src/storage/key-cipher.ts'
import { migrate, migrations } from '../../src/storage/migrations.ts'
import { secretInFile, secretInMemory } from '../../src/storage/own-secret.ts'
import { openSqlite } from '../../src/storage/sqlite-database.ts'
import { openStore, type StoredKey } from '../../src/storage/store.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-keys-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const scope = { provider: 'openai', alias: 'default' }
const cipher = keyCipher('a-secret-of-the-operator', secretInMemory())
const key = (more: Partial<StoredKey> = {}): StoredKey => ({
  id: 'a',
  ...scope,
  ...cipher.seal('sk-heron', scope),
  is_default: false,
  preview: '',
  created: 1,
  modified: 2,
  ...more,
})

describe('the cipher', () => {
  test('gives back what it sealed, never in the same bytes', () => {
    const [one, two] = [cipher.seal('sk-heron ü', scope), cipher.seal('sk-heron ü', scope)]
    expect(cipher.open(one, scope)).toBe('sk-heron ü')
    expect(Buffer.from(one.ciphertext).equals(two.ciphertext)).toBe(false)
    expect(Buffer.from(one.ciphertext).includes('heron')).toBe(false)
  })

  test('opens nothing with another secret, from another place, or changed', () => {
    const sealed = cipher.seal('sk-heron', scope)
    expect(keyCipher('another', secretInMemory()).open(sealed, scope)).toBeUndefined()
    for (const other of [{ provider: 'groq' }, { alias: 'b' }, { gateway: 'lab' }])
      expect(cipher.open(sealed, { ...scope, ...other })).toBeUndefined()
    const changed = Buffer.from(sealed.ciphertext)
    changed[0]! ^= 1
    expect(cipher.open({ ...sealed, ciphertext: changed }, scope)).toBeUndefined()
    expect(cipher.open({ ...sealed, ciphertext: sealed.ciphertext.subarray(0, 5) }, scope)).toBeUndefined()
  })

  test('finds the secret of a file that another process makes later', () => {
    const path = join(folder, 'later.key')
    const reader = keyCipher(undefined, secretInFile(path))
    expect(reader.open(cipher.seal('x', scope), scope)).toBeUndefined()
    const sealed = keyCipher(undefined, secretInFile(path)).seal('sk-heron', scope)
    expect(reader.open(sealed, scope)).toBe('sk-heron')
  })
})

describe('the secret beside the database', () => {
  test('is made once, for its owner alone, and nothing is left lying about', () => {
    const path = join(folder, 'own.key')
    expect(secretInFile(path).read()).toBeUndefined()
    const secret = secretInFile(path).make()
    expect(Buffer.from(secret, 'base64')).toHaveLength(32)
    expect([secretInFile(path).make(), secretInFile(path).read()]).toEqual([secret, secret])
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder).filter(name => name.includes('.new'))).toEqual([])
  })

  test('an empty file, or no place for one, is a fault in words and never a new secret', () => {
    const path = join(folder, 'empty.key')
    writeFileSync(path, '')
    expect(() => secretInFile(path).make()).toThrow(StorageError)
    expect(readFileSync(path, 'utf8')).toBe('')
    expect(() => secretInFile(join(folder, 'no', 'such.key')).make()).toThrow('such.key')
  })
})

describe('the store of keys', () => {
  test('keeps all of a key, from one opening to the next', async () => {
    const path = `sqlite:${join(folder, 'kept.db')}`
    const full = key({ id: 'b', alias: 'b', gateway: 'lab', is_default: true, rate_limit: 3, rate_limit_period: 9 })
    const one = await openStore(path)
    const plain = key()
    await one.keys.put(plain)
    await one.keys.put(full)
    await one.keys.put(key({ id: 'c', provider: 'groq' }))
    await one.close()
    const two = await openStore(path)
    const kept = await two.keys.ofProvider('openai')
    const numbers = (key: StoredKey) => ({ ...key, ciphertext: [...key.ciphertext], nonce: [...key.nonce] })
    expect(kept.map(numbers)).toEqual([plain, full].map(numbers))
    expect(cipher.open(kept[0]!, scope)).toBe('sk-heron')
    expect((await two.keys.list()).map(({ id }) => id)).toEqual(['c', 'a', 'b'])
    await two.close()
  })

  test('one of the same provider, gateway and alias takes the place and the id', async () => {
    const store = await openStore('sqlite::memory:')
    await store.keys.put(key({ preview: 'abcd' }))
    await store.keys.put(key({ id: 'other', preview: 'wxyz', created: 9, modified: 9 }))
    await store.keys.put(key({ id: 'lab', gateway: 'lab' }))
    expect(await store.keys.list()).toMatchObject([
      { id: 'a', preview: 'wxyz', created: 1, modified: 9 },
      { id: 'lab', gateway: 'lab' },
    ])
    expect([await store.keys.remove('a'), await store.keys.remove('a')]).toEqual([true, false])
    expect(await store.keys.list()).toHaveLength(1)
  })

  test('comes to a database of the version before, whose tokens stay', async () => {
    const path = join(folder, 'before.db')
    const database = openSqlite(path)
    await migrate(database, path, migrations.slice(0, 1))
    await database.run("INSERT INTO tokens VALUES ('laptop', 'hash', '[\"run\"]', NULL, 1)")
    await database.close()
    const store = await openStore(`sqlite:${path}`)
    await store.keys.put(key())
    expect(await store.tokens.list()).toMatchObject([{ name: 'laptop' }])
    expect(await store.keys.list()).toHaveLength(1)
    await store.close()
  })
})
