import type { AnswerCache } from '../../../src/storage/cache/answer-cache.ts'
import { databaseCache } from '../../../src/storage/cache/database-cache.ts'
import { migratedAt } from '../../support/databases.ts'
import { answer, keyOf, textOf } from './support.ts'

/** Another process at the same database: it does what it is told, one thing after the other. */
export type Order =
  | { do: 'put'; names: string[]; body: string }
  | { do: 'get'; name: string }
  | { do: 'purge' }
  | { do: 'close' }

async function obey(cache: AnswerCache, order: Order): Promise<unknown> {
  if (order.do === 'put') for (const name of order.names) cache.put(keyOf(name), answer(`${order.body} ${name}`))
  if (order.do === 'get') return textOf(await cache.get(keyOf(order.name))) ?? null
  if (order.do === 'purge') return cache.purge('default')
  if (order.do === 'close') await cache.close()
  return null
}

if (import.meta.main) {
  const [address = '', total = ''] = process.argv.slice(2)
  const database = await migratedAt(address)
  const cache = await databaseCache(database, { alone: false, bounds: { total: Number(total) } })
  let last: Promise<unknown> = Promise.resolve()
  process.on('message', order => {
    last = last.then(async () => {
      process.send!({ told: await obey(cache, order as Order) })
      if ((order as Order).do === 'close') process.exit(0)
    })
  })
  process.send!({ told: 'ready' })
}
