import { describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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

describe('several processes at one file', () => {
  const opened = async () => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-sqlite-'))
    const path = join(folder, 'postern.db')
    const database = openSqlite(path)
    await database.run('CREATE TABLE counts (n INTEGER NOT NULL)')
    await database.run('INSERT INTO counts VALUES (0)')
    const remove = async () => {
      await database.close()
      rmSync(folder, { recursive: true })
    }
    return { path, database, remove }
  }
  const counted = async (database: ReturnType<typeof openSqlite>) =>
    (await database.get<{ n: number }>('SELECT n FROM counts'))!.n

  /** Another process, once it has said its first word. */
  const other = async (path: string, task: string) => {
    const child = Bun.spawn([process.execPath, join(import.meta.dir, 'sqlite-writer.ts'), path, task], {
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'inherit',
    })
    for await (const _ of child.stdout) break
    return child
  }

  test('a writer waits for another process, and its own process goes on', async () => {
    const { path, database, remove } = await opened()
    const holder = await other(path, 'hold')
    const settled: string[] = []
    const writes = [
      database.run('UPDATE counts SET n = n + 1').then(() => settled.push('run')),
      database.insert('counts', ['n'], [[100]]).then(() => settled.push('insert')),
      database.transaction(sql => sql.run('UPDATE counts SET n = n + 1')).then(() => settled.push('transaction')),
    ]
    // All of them have been refused by now, and readers see what was written last.
    await Bun.sleep(50)
    expect(await counted(database)).toBe(0)
    expect(settled).toEqual([])
    // Only a process that goes on can let the other one go.
    holder.stdin.end()
    await Promise.all(writes)
    expect(await holder.exited).toBe(0)
    const rows = await database.all<{ n: number }>('SELECT n FROM counts ORDER BY n')
    // The row that came in between was counted up once, twice or not at all.
    expect(rows[0]).toEqual({ n: 3 })
    expect(rows[1]!.n).toBeGreaterThanOrEqual(100)
    await remove()
  })

  test('no write of two processes is lost', async () => {
    const { path, database, remove } = await opened()
    const writers = [await other(path, '200'), await other(path, '200')]
    for (const { stdin } of writers) {
      stdin.write('go')
      stdin.end()
    }
    for (let n = 0; n < 100; n++)
      await database.transaction(async sql => {
        const { n } = (await sql.get<{ n: number }>('SELECT n FROM counts'))!
        await sql.run('UPDATE counts SET n = ?', n + 1)
      })
    expect(await Promise.all(writers.map(({ exited }) => exited))).toEqual([0, 0])
    expect(await counted(database)).toBe(500)
    await remove()
  })
})
