import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import type { Socket } from 'bun'
import { readAddress } from '../../src/storage/address.ts'
import { StorageError } from '../../src/storage/errors.ts'
import { openPostgres, type PostgresOptions } from '../../src/storage/postgres-database.ts'
import { openStore } from '../../src/storage/store.ts'
import { hasPostgres, type PostgresServer, postgresServer } from '../support/postgres-server.ts'

const opened: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close()
})

async function open(url: string, options?: PostgresOptions) {
  const address = readAddress(url)
  if (address?.kind !== 'postgres') throw new Error('no address of PostgreSQL')
  const database = await openPostgres(address, options)
  opened.push(database)
  return database
}

async function faultOf(work: Promise<unknown>): Promise<StorageError> {
  const fault = await work.then(
    () => undefined,
    (fault: unknown) => fault,
  )
  expect(fault).toBeInstanceOf(StorageError)
  return fault as StorageError
}

async function until(holds: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 15_000; !holds(); await Bun.sleep(20))
    if (Date.now() > deadline) throw new Error('it did not come about within fifteen seconds')
}

interface Side {
  other?: Socket<Side>
  cut?: boolean
  /** What came before there was another side. */
  early: Buffer[]
}

/** A line to a port whose connections fall silent, both ways and without an end, when it is cut. New ones work. */
async function cuttableLine(target: number) {
  const sides = new Set<Socket<Side>>()
  const socket = {
    data(from: Socket<Side>, bytes: Buffer) {
      if (from.data.cut) return
      if (from.data.other) from.data.other.write(bytes)
      else from.data.early.push(Buffer.from(bytes))
    },
    close(from: Socket<Side>) {
      if (!from.data.cut) from.data.other?.end()
    },
  }
  const listener = Bun.listen<Side>({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      ...socket,
      async open(near) {
        near.data = { early: [] }
        const data: Side = { other: near, early: [] }
        const far = await Bun.connect<Side>({ hostname: '127.0.0.1', port: target, data, socket })
        near.data.other = far
        for (const bytes of near.data.early) far.write(bytes)
        sides.add(near).add(far)
      },
    },
  })
  return {
    port: listener.port,
    cut() {
      for (const side of sides) side.data.cut = true
    },
    close: () => listener.stop(true),
  }
}

describe('the address', () => {
  test('is told without user, password and parameters', () => {
    expect(readAddress('postgres://me:hunter22@db.lan:5433/postern?sslmode=require')).toMatchObject({
      kind: 'postgres',
      place: 'postgres://db.lan:5433/postern',
    })
    expect(readAddress('postgresql://me@[::1]')).toMatchObject({ place: 'postgres://[::1]' })
    expect(readAddress('postgres://')).toBeUndefined()
    expect(readAddress('postgresq://db/postern')).toBeUndefined()
  })

  test.each([
    ['postgres://ferret11:hunter22@127.0.0.1:1/postern', 'is the server running?'],
    ['postgres://ferret11:hunter22@nowhere.invalid/postern', 'is the server running?'],
    ['postgres://ferret11:hunter22@127.0.0.1:1/postern?sslmode=hunter22', 'sslmode'],
    ['postgres://ferret11:hunter22@127.0.0.1:1/postern?sslmode=verify-ca&sslrootcert=/no/such.pem', 'caFile'],
    ['postgres://ferret11:hunter22@127.0.0.1:1/%E0%A4%A', ''],
  ])('%s is a fault in words', async (url, words) => {
    const { message } = await faultOf(openStore(url))
    expect(message).toStartWith('storage.database: ')
    expect(message).toContain(words)
    expect(message).not.toContain('hunter22')
    expect(message).not.toContain('ferret11')
  })
})

describe.skipIf(!hasPostgres)('a server', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await postgresServer()
  })
  afterAll(() => server?.remove())

  test('that has no such database, or refuses the user, is a fault in words', async () => {
    expect((await faultOf(open(server.address('postern', 'elsewhere')))).message).toContain(
      `storage.database: postgres://127.0.0.1:${server.port}/elsewhere: database "elsewhere" does not exist`,
    )
    const nobody = await faultOf(open(server.address('nobody-here')))
    expect(nobody.message).toContain('the user is not accepted')
    expect(nobody.message).not.toContain('nobody-here')
    await server.command('CREATE ROLE guest LOGIN')
    expect((await faultOf(openStore(server.address('guest')))).message).toContain('the right to create')
  })

  test('that speaks no TLS is not talked to when the address demands it', async () => {
    expect((await faultOf(open(`${server.address()}?sslmode=require`))).message).toContain('no TLS')
  })

  test('that was restarted serves again, and so does one that was away', async () => {
    const database = await open(await server.fresh())
    await database.run('CREATE TABLE t (a BIGINT PRIMARY KEY)')
    await server.restart()
    await until(() => database.isOpen())
    expect(await database.run('INSERT INTO t (a) VALUES (?)', 1)).toBe(1)
    await server.kill()
    await faultOf(database.run('INSERT INTO t (a) VALUES (?)', 2))
    await faultOf(database.transaction(sql => sql.run('INSERT INTO t (a) VALUES (?)', 2)))
    expect(database.isOpen()).toBe(false)
    await server.start()
    // By itself, with nobody who asks.
    await until(() => database.isOpen())
    expect(await database.run('INSERT INTO t (a) VALUES (?)', 3)).toBe(1)
    expect(await database.all('SELECT a FROM t ORDER BY a')).toEqual([{ a: 1 }, { a: 3 }])
  })

  test('that says nothing any more is given up in time, and asked anew', async () => {
    const database = await open(await server.fresh(), { patience: 400 })
    await database.run('CREATE TABLE t (a BIGINT PRIMARY KEY)')
    server.freeze()
    const faults = await Promise.all([
      faultOf(database.run('INSERT INTO t (a) VALUES (?)', 1)),
      faultOf(database.get('SELECT 1')),
      faultOf(database.transaction(sql => sql.run('INSERT INTO t (a) VALUES (?)', 2))),
      // More than there are connections.
      ...Array.from({ length: 20 }, () => faultOf(database.get('SELECT 1'))),
    ])
    for (const { message } of faults) expect(message).toMatch(/no answer within|closed/)
    expect(database.isOpen()).toBe(false)
    server.thaw()
    await until(() => database.isOpen())
    expect(await database.get('SELECT 1 AS one')).toEqual({ one: 1 })
  })

  test('connections that were cut without a word are given up for new ones', async () => {
    const line = await cuttableLine(server.port)
    const address = new URL(await server.fresh())
    address.port = `${line.port}`
    const database = await open(address.href, { patience: 300 })
    expect(await database.get('SELECT 1 AS one')).toEqual({ one: 1 })
    line.cut()
    expect((await faultOf(database.get('SELECT 1 AS one'))).message).toContain('no answer within 0.3 seconds')
    expect(await database.get('SELECT 1 AS one')).toEqual({ one: 1 })
    expect(await database.transaction(sql => sql.get('SELECT 2 AS two'))).toEqual({ two: 2 })
    line.close()
  })

  test('a statement that takes too long is stopped, and others are not', async () => {
    const database = await open(await server.fresh(), { patience: 1_500 })
    const slow = faultOf(database.get('SELECT pg_sleep(5)'))
    const others = Promise.all(
      Array.from({ length: 30 }, async () => {
        await Bun.sleep(10)
        return database.get('SELECT 1 AS one')
      }),
    )
    expect((await slow).message).toContain('within 1.5 seconds')
    expect(await others).toHaveLength(30)
    const within = faultOf(database.transaction(sql => sql.get('SELECT pg_sleep(5)')))
    expect((await within).message).toContain('took too long')
    const running = "SELECT COUNT(*) AS n FROM pg_stat_activity WHERE state <> 'idle' AND query LIKE '%sleep(5)'"
    for (let tries = 0; (await database.get<{ n: number }>(running))!.n > 0; tries++) {
      expect(tries).toBeLessThan(100)
      await Bun.sleep(20)
    }
  })

  test('whose connection breaks within a transaction does the transaction again', async () => {
    const database = await open(await server.fresh())
    await database.run('CREATE TABLE t (a BIGINT PRIMARY KEY)')
    let tries = 0
    await database.transaction(async sql => {
      tries++
      const { pid } = (await sql.get<{ pid: number }>('SELECT pg_backend_pid() AS pid'))!
      await sql.run('INSERT INTO t (a) VALUES (?)', tries)
      if (tries === 1) await server.command(`SELECT pg_terminate_backend(${pid})`)
      await sql.run('INSERT INTO t (a) VALUES (?)', 100 + tries)
    })
    expect(await database.all('SELECT a FROM t ORDER BY a')).toEqual([{ a: 2 }, { a: 102 }])
  })

  test('whose connection breaks is read from again, and not written to again', async () => {
    const database = await open(await server.fresh())
    await database.run('CREATE TABLE t (a TEXT)')
    const breakIt = async () => {
      await Bun.sleep(100)
      await server.command(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(%0.3)%' AND pid <> pg_backend_pid()",
      )
    }
    const [read] = await Promise.all([database.get('SELECT pg_sleep(0.3) IS NULL AS a'), breakIt()])
    expect(read).toEqual({ a: 0 })
    const [{ message }] = await Promise.all([
      faultOf(database.run('INSERT INTO t SELECT CAST(pg_sleep(0.3) AS TEXT)')),
      breakIt(),
    ])
    expect(message).toContain('terminat')
    expect(await database.all('SELECT a FROM t')).toEqual([])
  })

  test('work that swallows the fault of a statement is told that nothing was written', async () => {
    const database = await open(await server.fresh())
    await database.run('CREATE TABLE t (a BIGINT PRIMARY KEY)')
    const work = database.transaction(async sql => {
      await sql.run('INSERT INTO t (a) VALUES (?)', 1)
      await sql.run('INSERT INTO t (a) VALUES (?)', 1).catch(() => {})
    })
    expect((await faultOf(work)).message).toContain('a statement of the transaction failed')
    expect(await database.all('SELECT a FROM t')).toEqual([])
  })

  test('transactions that wait for a lock leave connections to others', async () => {
    const address = await server.fresh()
    const [one, two] = [await open(address), await open(address)]
    await one.run('CREATE TABLE t (a BIGINT PRIMARY KEY, n BIGINT NOT NULL)')
    await one.insert('t', ['a', 'n'], [[1, 0]])
    const { promise: locked, resolve: isLocked } = Promise.withResolvers<void>()
    const { promise: over, resolve: end } = Promise.withResolvers<void>()
    const add = 'UPDATE t SET n = n + 1 WHERE a = 1'
    const holder = one.transaction(async sql => {
      await sql.run(add)
      isLocked()
      await over
    })
    await locked
    const waiting = Array.from({ length: 30 }, (_, at) =>
      two.transaction(sql => sql.run(add), { locks: at % 2 ? 'own' : 'all' }),
    )
    const stuck = "SELECT COUNT(*) AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    while ((await one.get<{ n: number }>(stuck))!.n < 5) await Bun.sleep(10)
    expect(await two.get('SELECT n FROM t')).toEqual({ n: 0 })
    end()
    await Promise.all([holder, ...waiting])
    expect(await two.get('SELECT n FROM t')).toEqual({ n: 31 })
  })

  test('a replica that is cut off does not keep its locks', async () => {
    const address = await server.fresh()
    const [one, two] = [await open(address, { patience: 300 }), await open(address)]
    const { promise: begun, resolve: isBegun } = Promise.withResolvers<void>()
    const { promise: over, resolve: end } = Promise.withResolvers<void>()
    const stuck = one.transaction(async () => {
      isBegun()
      await over
    })
    const fault = faultOf(stuck)
    await begun
    expect(await two.transaction(async () => 'done')).toBe('done')
    end()
    await fault
  })

  test('text with a zero character is kept, without it', async () => {
    const database = await open(await server.fresh())
    await database.run('CREATE TABLE t (c TEXT)')
    await database.run('INSERT INTO t (c) VALUES (?)', 'a\0b')
    expect(await database.get('SELECT c FROM t WHERE c = ?', 'a\0b')).toEqual({ c: 'a\ufffdb' })
  })
})
