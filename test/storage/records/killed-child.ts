/** Writes records until it is killed, and says of each when it was put. Given: the address of the database. */
import { records } from '../../../src/storage/records/index.ts'
import { openStore } from '../../../src/storage/store.ts'
import { attempt, costOf } from './support.ts'

const store = await openStore(process.argv[2]!)
const all = await records(store.database, { keeping: () => ({}) })
for (;;) {
  let said = ''
  for (let i = 0; i < 10; i++) {
    const one = attempt({
      collectBodies: true,
      bodies: { request: '{"prompt":"some words"}' },
      metadata: { round: i },
      cost: costOf(3),
      usage: { input: 2, output: 1, source: 'reported' },
    })
    all.put(one)
    said += `${one.id} ${Date.now()}\n`
  }
  process.stdout.write(said)
  await Bun.sleep(3)
}
