import { afterEach, beforeEach, expect, setSystemTime, test } from 'bun:test'
import { StoredObjects } from '../../src/gateway/stored-objects.ts'
import { keyCipher } from '../../src/storage/key-cipher.ts'
import { secretInMemory } from '../../src/storage/own-secret.ts'
import { openStore, type Store } from '../../src/storage/store.ts'
import type { Logger } from '../../src/telemetry/log.ts'

/** Two processes on one store. */

let store: Store
let logged: unknown[]
let now = Date.now()
beforeEach(async () => {
  store = await openStore('sqlite::memory:')
  logged = []
  now = Date.now()
  setSystemTime(now)
})
afterEach(async () => {
  setSystemTime()
  await store.close()
})

function processOn(secret = 'a-secret') {
  let changes = 0
  const log = { error: (...said: unknown[]) => logged.push(said) } as unknown as Logger
  const objects = new StoredObjects(store, keyCipher(secret, secretInMemory()), log, () => changes++)
  return { objects, changes: () => changes }
}
function later(ms: number) {
  now += ms
  setSystemTime(now)
}
const heron = {
  id: 'a',
  slug: 'heron',
  name: 'Heron',
  base_url: 'http://x',
  enable: true,
  details: {},
  headers: '{"x-key":"secret"}',
  created: 1,
  modified: 1,
}

test('the one that makes a change knows it at once, the other within two seconds', async () => {
  const [one, other] = [processOn(), processOn()]
  await other.objects.refresh()
  expect(other.objects.refresh()).toBeUndefined()
  await one.objects.addGateway('lab', { cache_ttl: 60 })
  await one.objects.addProvider(heron)
  expect([...one.objects.gateways]).toEqual([['lab', { cache_ttl: 60 }]])
  later(1_999)
  expect(other.objects.refresh()).toBeUndefined()
  expect(other.objects.gateways.size).toBe(0)
  later(1)
  await other.objects.refresh()
  expect([...other.objects.gateways]).toEqual([['lab', { cache_ttl: 60 }]])
  expect(other.objects.providers).toMatchObject([{ name: 'heron', settings: { headers: { 'x-key': 'secret' } } }])
  await one.objects.changeProvider({ ...heron, enable: false, modified: 2 })
  await one.objects.removeGateway('lab')
  expect([one.objects.gateways.size, one.objects.providers.length]).toEqual([0, 0])
  later(2_000)
  await other.objects.refresh()
  expect([other.objects.gateways.size, other.objects.providers.length]).toEqual([0, 0])
})

test('where nothing has changed, nothing is made anew', async () => {
  const { objects, changes } = processOn()
  await objects.addGateway('lab', {})
  const before = changes()
  const known = objects.gateways
  later(2_000)
  await objects.refresh()
  expect([changes(), objects.gateways === known]).toEqual([before, true])
})

test('many who ask at once are one question', async () => {
  const { objects } = processOn()
  const first = objects.refresh()
  expect(first).toBeInstanceOf(Promise)
  expect(objects.refresh()).toBe(first)
  await first
})

test('while the store cannot be read, what was known holds, and nobody waits', async () => {
  const { objects } = processOn()
  await objects.addGateway('lab', {})
  await store.close()
  later(2_000)
  await objects.refresh()
  expect(objects.gateways.has('lab')).toBe(true)
  later(2_000)
  expect(objects.refresh()).toBeUndefined()
  await Bun.sleep(1)
  expect(logged).toHaveLength(1)
})

test('credentials that another secret sealed are left out, and the log says so', async () => {
  const { objects } = processOn()
  const otel = [{ url: 'http://x', authorization: 'secret' }]
  await objects.addGateway('lab', { cache_ttl: 60, otel })
  const other = processOn('another').objects
  await other.refresh()
  expect(other.gateways.get('lab')).toEqual({ cache_ttl: 60 })
  expect(JSON.stringify(logged)).toContain('gateway \\"lab\\" cannot be decrypted')
  expect(JSON.stringify(logged)).not.toContain('secret')
})
