import { openSqlite } from '../../src/storage/sqlite-database.ts'

/**
 * Another process at the same database, for the tests. `hold`: it keeps the write lock until its input ends; otherwise
 * it counts up so many times, half of them in transactions.
 */
const [path = '', task = ''] = process.argv.slice(2)
const database = openSqlite(path)

if (task === 'hold')
  await database.transaction(async sql => {
    await sql.run('UPDATE counts SET n = n + 1')
    console.log('held')
    for await (const _ of process.stdin) {
    }
  })
else {
  console.log('ready')
  for await (const _ of process.stdin) break
  for (let n = 0; n < Number(task); n++) await countUp(n)
}
await database.close()

async function countUp(n: number): Promise<void> {
  if (n % 2) {
    await database.run('UPDATE counts SET n = n + 1')
    return
  }
  await database.transaction(async sql => {
    const { n } = (await sql.get<{ n: number }>('SELECT n FROM counts'))!
    await sql.run('UPDATE counts SET n = ?', n + 1)
  })
}
