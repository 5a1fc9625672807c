import { memoryCounters } from '../../../src/storage/counters/memory.ts'
import { redisCounters } from '../../../src/storage/counters/redis.ts'
import { sharedCounters } from '../../../src/storage/counters/shared.ts'
import { migratedAt } from '../../support/databases.ts'
import { limitOf, sliding } from './limits.ts'

/** One of several processes that count together: `<kind> <place> <how many at once> <limit> <moment>`. Says how many it got. */
const [kind, place, count, limit, moment] = process.argv.slice(2) as [string, string, string, string, string]
const counters =
  kind === 'redis'
    ? redisCounters(place, { timeoutMilliseconds: 20_000 })
    : kind === 'shared'
      ? sharedCounters(await migratedAt(place))
      : await memoryCounters(await migratedAt(place))

// So that they begin together.
console.log('ready')
for await (const _ of console) break

// One moment for all, so that all mean the same windows.
const now = Number(moment)
const requests = Array.from({ length: Number(count) }, async (_, at) => {
  const amount = 1 + (at % 3)
  const limits = [
    limitOf('requests', Number(limit), 1, sliding(7200)),
    limitOf('money', Number(limit) * 2, amount, sliding(7200)),
    limitOf('slide', Number(limit) * 2, amount, sliding(3600)),
  ]
  // Not all in one moment, so that the processes come between each other.
  await Bun.sleep(at % 50)
  const said = await counters.take(limits, now)
  // Every fifth gives back what it took.
  if (said.ok && at % 5 === 0) said.settle([0, 0, 0])
  return said.ok ? { amount, kept: at % 5 !== 0 } : undefined
})
const got = (await Promise.all(requests)).filter(one => one !== undefined)
const kept = got.filter(one => one.kept)
console.log(
  JSON.stringify({ got: got.length, kept: kept.length, money: kept.reduce((sum, one) => sum + one.amount, 0) }),
)
if (kind === 'memory') await new Promise(() => {})
await counters.close()
