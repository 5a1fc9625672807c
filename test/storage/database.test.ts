import { afterEach, describe, expect, test } from 'bun:test'
import type { Database } from '../../src/storage/database.ts'
import { closeDatabases, type DatabaseKind, eachDatabase, openAddress } from '../support/databases.ts'

afterEach(closeDatabases)

async function withTable(kind: DatabaseKind): Promise<Database> {
  const database = await openAddress(await kind.fresh())
  const [number, bytes, real, text] =
    kind.kind === 'postgres'
      ? ['BIGINT', 'BYTEA', 'DOUBLE PRECISION', 'TEXT COLLATE "C"']
      : ['INTEGER', 'BLOB', 'REAL', 'TEXT']
  const strict = kind.kind === 'postgres' ? '' : ' STRICT'
  await database.run(`CREATE TABLE t (a ${number} PRIMARY KEY, b ${bytes}, c ${text}, d ${real})${strict}`)
  return database
}
const numbersIn = async (database: Database) =>
  (await database.all<{ a: number }>('SELECT a FROM t ORDER BY a')).map(({ a }) => a)

describe.each(eachDatabase)('%s: statements', (_, kind) => {
  test('every kind of value comes back as it went', async () => {
    const database = await withTable(kind)
    const bytes = new Uint8Array([0, 1, 255])
    expect(await database.run('INSERT INTO t VALUES (?, ?, ?, ?)', 1, bytes, '{"a": "ü?"}', 1.5)).toBe(1)
    expect(await database.run('INSERT INTO t VALUES (?, ?, ?, ?)', 2, null, null, 2)).toBe(1)
    const rows = await database.all<Record<string, unknown>>('SELECT * FROM t ORDER BY a')
    expect(rows).toEqual([
      { a: 1, b: bytes, c: '{"a": "ü?"}', d: 1.5 },
      { a: 2, b: null, c: null, d: 2 },
    ])
    expect(Buffer.isBuffer(rows[0]!.b)).toBe(false)
    expect(await database.get('SELECT * FROM t WHERE a = ?', 3)).toBeUndefined()
  })

  test('counts, sums and comparisons are numbers', async () => {
    const database = await withTable(kind)
    await database.insert('t', ['a'], [[1], [2], [9_007_199_254_740_991]])
    expect(
      await database.get(
        'SELECT COUNT(*) AS n, COALESCE(SUM(a), 0) AS s, 1 > 2 AS no, 2 > 1 AS yes FROM t WHERE a < ?',
        9,
      ),
    ).toEqual({ n: 2, s: 3, no: 0, yes: 1 })
    expect(await database.get('SELECT MAX(a) AS a FROM t')).toEqual({ a: 9_007_199_254_740_991 })
  })

  test('a number beyond 2^53 goes as bigint and comes as text, whole', async () => {
    const database = await withTable(kind)
    await database.run('INSERT INTO t (a) VALUES (?)', 9_007_199_254_740_993n)
    await database.run('UPDATE t SET a = a + ?', 2n ** 60n)
    expect(await database.get('SELECT CAST(a AS TEXT) AS a FROM t')).toEqual({ a: '1161928703861587969' })
  })

  test('a fraction is not rounded into a column of whole numbers', async () => {
    const database = await withTable(kind)
    expect(database.run('INSERT INTO t (a) VALUES (?)', 1.5)).rejects.toThrow()
    expect(await numbersIn(database)).toEqual([])
  })

  test('question marks in quotes are no places for values', async () => {
    const database = await withTable(kind)
    await database.run(`INSERT INTO t (a, c) VALUES (?, 'it''s ?') -- why?`, 4)
    expect(await database.get(`SELECT c AS "c?" FROM t WHERE c <> '?' AND a = ?`, 4)).toEqual({ 'c?': "it's ?" })
  })

  test('texts are in the order of their bytes', async () => {
    const database = await withTable(kind)
    const texts = ['a', 'B', 'Z', 'b', 'é', 'e', '_', '-', '10', '9']
    await database.insert(
      't',
      ['a', 'c'],
      texts.map((text, at) => [at, text]),
    )
    const ordered = (await database.all<{ c: string }>('SELECT c FROM t ORDER BY c')).map(({ c }) => c)
    expect(ordered).toEqual(texts.sort())
    expect(await database.get('SELECT COUNT(*) AS n FROM t WHERE c > ?', 'Z')).toEqual({ n: 5 })
  })

  test('insert adds all rows and leaves those that are there', async () => {
    const database = await withTable(kind)
    await database.insert('t', ['a', 'c'], [[1, 'first']])
    await database.insert(
      't',
      ['c', 'a'],
      [
        ['other', 1],
        ['new', 2],
        ['again', 2],
      ],
    )
    await database.insert('t', ['a'], [])
    expect(await database.all('SELECT a, c FROM t ORDER BY a')).toEqual([
      { a: 1, c: 'first' },
      { a: 2, c: 'new' },
    ])
  })

  test('insert takes more rows than one statement can, or none', async () => {
    const database = await withTable(kind)
    const rows = Array.from({ length: 20_001 }, (_, a) => [a, null, `row ${a}`, a / 2])
    await database.insert('t', ['a', 'b', 'c', 'd'], rows)
    expect(await database.get('SELECT COUNT(*) AS n, SUM(a) AS s FROM t')).toEqual({ n: 20_001, s: 200_010_000 })
    expect(await database.get('SELECT c, d FROM t WHERE a = ?', 20_000)).toEqual({ c: 'row 20000', d: 10_000 })
    const faulty = rows.map(([a, ...rest]) => [Number(a) + 50_000, ...rest])
    faulty[20_000]![0] = 1.5
    expect(database.insert('t', ['a', 'b', 'c', 'd'], faulty)).rejects.toThrow()
    expect(await database.get('SELECT COUNT(*) AS n FROM t')).toEqual({ n: 20_001 })
  })

  test('many at once are all answered', async () => {
    const database = await withTable(kind)
    await Promise.all(Array.from({ length: 500 }, (_, a) => database.run('INSERT INTO t (a) VALUES (?)', a)))
    expect((await numbersIn(database)).length).toBe(500)
  })

  test('says whether it is open', async () => {
    const database = await openAddress(await kind.fresh())
    expect(database.isOpen()).toBe(true)
    await database.close()
    expect(database.isOpen()).toBe(false)
    await database.close()
    expect(database.run('SELECT 1')).rejects.toThrow()
  })
})

describe.each(eachDatabase)('%s: a transaction', (_, kind) => {
  test('that throws leaves nothing', async () => {
    const database = await withTable(kind)
    const work = database.transaction(async sql => {
      await sql.run('INSERT INTO t (a) VALUES (?)', 1)
      throw new RangeError('no')
    })
    expect(work).rejects.toThrow(RangeError)
    expect(await numbersIn(database)).toEqual([])
  })

  test('one of whose statements fails leaves nothing, and the next works', async () => {
    const database = await withTable(kind)
    const work = database.transaction(async sql => {
      await sql.run('INSERT INTO t (a) VALUES (?)', 1)
      await sql.run('INSERT INTO t (a) VALUES (?)', 1)
    })
    expect(work).rejects.toThrow()
    expect(await database.transaction(sql => sql.run('INSERT INTO t (a) VALUES (?)', 2))).toBe(1)
    expect(await numbersIn(database)).toEqual([2])
  })

  test('keeps what others ask for meanwhile out of it', async () => {
    const database = await withTable(kind)
    const failing = database
      .transaction(async sql => {
        await sql.run('INSERT INTO t (a) VALUES (?)', 1)
        await Bun.sleep(10)
        throw new Error('no')
      })
      .catch(() => {})
    const other = database.run('INSERT INTO t (a) VALUES (?)', 2)
    const third = database.transaction(sql => sql.run('INSERT INTO t (a) VALUES (?)', 3))
    await Promise.all([failing, other, third])
    expect(await numbersIn(database)).toEqual([2, 3])
  })

  test('what it reads no other changes, also from other processes: of many that read and write none is lost', async () => {
    const address = await kind.fresh()
    const [one, two] = [await openAddress(address), await openAddress(address)]
    await one.run('CREATE TABLE n (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)')
    await one.insert('n', ['id', 'n'], [[1, 0]])
    const count = (database: Database) =>
      database.transaction(async sql => {
        const { n } = (await sql.get<{ n: number }>('SELECT n FROM n WHERE id = 1'))!
        await sql.run('UPDATE n SET n = ? WHERE id = 1', n + 1)
      })
    await Promise.all(Array.from({ length: 100 }, (_, at) => count(at % 2 ? one : two)))
    expect(await one.get('SELECT n FROM n')).toEqual({ n: 100 })
  })

  test('with locks of its own: what it locks waits, and two that wait for each other both come through', async () => {
    const address = await kind.fresh()
    const [one, two] = [await openAddress(address), await openAddress(address)]
    await one.run('CREATE TABLE n (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)')
    await one.insert(
      'n',
      ['id', 'n'],
      [
        [1, 0],
        [2, 0],
      ],
    )
    const add = (database: Database, ids: number[]) =>
      database.transaction(
        async sql => {
          for (const id of ids) {
            await sql.run('UPDATE n SET n = n + 1 WHERE id = ?', id)
            await Bun.sleep(2)
          }
        },
        { locks: 'own' },
      )
    await Promise.all(Array.from({ length: 6 }, (_, at) => add(at % 2 ? one : two, at % 2 ? [1, 2] : [2, 1])))
    expect(await one.all('SELECT n FROM n ORDER BY id')).toEqual([{ n: 6 }, { n: 6 }])
  }, 30_000)
})
