import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { StorageError } from '../../src/storage/errors.ts'
import { keyCipher } from '../../src/storage/key-cipher.ts'
import { migrate, migrations } from '../../src/storage/migrations.ts'
import { noOwnSecret, secretInFile, secretInMemory } from '../../src/storage/own-secret.ts'
import { openStore, type StoredKey } from '../../src/storage/store.ts'
import { closeDatabases, eachDatabase, openAddress } from '../support/databases.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-keys-'))
afterAll(async () => {
  await closeDatabases()
  rmSync(folder, { recursive: true, force: true })
})

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
  test('is none for one that machines share: the operator has to give it, and is told how', () => {
    const shared = keyCipher(undefined, noOwnSecret('postgres://db/postern'))
    for (const use of [() => shared.seal('sk-heron', scope), () => shared.open(key(), scope)]) {
      expect(use).toThrow(StorageError)
      expect(use).toThrow('POSTERN_ENCRYPTION_KEY')
    }
    const given = keyCipher('a-secret-of-the-operator', noOwnSecret('postgres://db/postern'))
    expect(given.open(key(), scope)).toBe('sk-heron')
  })

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

describe.each(eachDatabase)('%s: the store of keys', (_, kind) => {
  test('keeps all of a key, from one opening to the next', async () => {
    const path = await kind.fresh()
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
    const store = await openStore(await kind.fresh())
    await store.keys.put(key({ preview: 'abcd' }))
    await store.keys.put(key({ id: 'other', preview: 'wxyz', created: 9, modified: 9 }))
    await store.keys.put(key({ id: 'lab', gateway: 'lab' }))
    expect(await store.keys.list()).toMatchObject([
      { id: 'a', preview: 'wxyz', created: 1, modified: 9 },
      { id: 'lab', gateway: 'lab' },
    ])
    expect([await store.keys.remove('a'), await store.keys.remove('a')]).toEqual([true, false])
    expect(await store.keys.list()).toHaveLength(1)
    await store.close()
  })

  test('lists them in the order of their bytes, whatever language the database speaks', async () => {
    const store = await openStore(await kind.fresh())
    const aliases = ['b', 'B', '_', 'a', '-', '1']
    for (const alias of aliases) await store.keys.put(key({ id: alias, alias }))
    expect((await store.keys.list()).map(({ alias }) => alias)).toEqual(aliases.sort())
    await store.close()
  })

  test('of many that become the default at once one is', async () => {
    const path = await kind.fresh()
    const stores = [await openStore(path), await openStore(path), await openStore(path)]
    for (let round = 0; round < 8; round++) {
      const puts = stores.map(({ keys }, at) => {
        const alias = `key-${round}-${at}`
        return keys.put(key({ id: alias, alias, is_default: true }))
      })
      await Promise.all(puts)
      expect((await stores[0]!.keys.list()).filter(({ is_default }) => is_default)).toHaveLength(1)
    }
    for (const store of stores) await store.close()
  })

  test('comes to a database of the version before, whose tokens stay', async () => {
    const path = await kind.fresh()
    const database = await openAddress(path)
    await migrate(database, path, migrations.slice(0, 1))
    await database.run("INSERT INTO tokens VALUES ('laptop', 'hash', '[\"run\"]', NULL, 1)")
    await database.close()
    const store = await openStore(path)
    await store.keys.put(key())
    expect(await store.tokens.list()).toMatchObject([{ name: 'laptop' }])
    expect(await store.keys.list()).toHaveLength(1)
    await store.close()
  })
})
