import { describe, expect, test } from 'bun:test'
import { openSqlite } from '../../src/storage/sqlite-database.ts'

describe('a transaction', () => {
  const opened = async () => {
    const database = openSqlite(':memory:')
    await database.run('CREATE TABLE t (a INTEGER PRIMARY KEY)')
    return database
  }
  const counted = async (database: Awaited<ReturnType<typeof opened>>) =>
    (await database.get<{ n: number }>('SELECT COUNT(*) AS n FROM t'))?.n

  test('that throws leaves nothing', async () => {
    const database = await opened()
    const work = database.transaction(async sql => {
      await sql.run('INSERT INTO t VALUES (?)', 1)
      throw new Error('no')
    })
    expect(work).rejects.toThrow('no')
    expect(await counted(database)).toBe(0)
  })

  test('keeps what others ask for meanwhile out of it', async () => {
    const database = await opened()
    const failing = database
      .transaction(async sql => {
        await sql.run('INSERT INTO t VALUES (?)', 1)
        await Bun.sleep(10)
        throw new Error('no')
      })
      .catch(() => {})
    const other = database.run('INSERT INTO t VALUES (?)', 2)
    const third = database.transaction(sql => sql.run('INSERT INTO t VALUES (?)', 3))
    await Promise.all([failing, other, third])
    expect(await database.all<{ a: number }>('SELECT a FROM t ORDER BY a')).toEqual([{ a: 2 }, { a: 3 }])
  })

  test('insert adds all rows and leaves those that are there', async () => {
    const database = await opened()
    await database.insert('t', ['a'], [[1], [2]])
    await database.insert('t', ['a'], [[2], [3]])
    await database.insert('t', ['a'], [])
    expect(await counted(database)).toBe(3)
  })
})
