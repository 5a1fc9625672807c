import { afterAll, beforeEach, describe, expect, test } from 'bun:test'
import type { RouteElement } from '../../src/schemas/route.ts'
import type { StoredCustomProvider } from '../../src/storage/custom-providers.ts'
import { customProviderStore } from '../../src/storage/custom-providers.ts'
import type { Database } from '../../src/storage/database.ts'
import { gatewayStore } from '../../src/storage/gateways.ts'
import { keyStore } from '../../src/storage/keys.ts'
import { migrate, migrations } from '../../src/storage/migrations.ts'
import { routeStore } from '../../src/storage/routes.ts'
import { tokenStore } from '../../src/storage/tokens.ts'
import { closeDatabases, eachDatabase, migrated, openAddress } from '../support/databases.ts'

/** What the management API makes, in every kind of database. */

afterAll(closeDatabases)

const sealed = { ciphertext: new Uint8Array([1, 2, 3]), nonce: new Uint8Array([4, 5]) }
const key = (id: string, provider: string, gateway: string) => ({
  id,
  provider,
  alias: id,
  gateway,
  is_default: false,
  ...sealed,
  preview: '',
  created: 1,
  modified: 1,
})

describe.each(eachDatabase)('%s', (_, kind) => {
  let database: Database
  beforeEach(async () => {
    database = await migrated(kind)
  })

  test('gateways are kept whole, up to a bound, and tell by their stamp that they have changed', async () => {
    const gateways = gatewayStore(database)
    const stamps = [await gateways.stamp()]
    const one = { id: 'one', settings: { cache_ttl: 60, otel: null }, sealed, created: 2, modified: 2 }
    const two = { id: 'two', settings: {}, created: 1, modified: 1 }
    expect(await gateways.add(one, 2)).toBe('added')
    expect(await gateways.add(one, 2)).toBe('taken')
    stamps.push(await gateways.stamp())
    expect(await gateways.add(two, 2)).toBe('added')
    expect(await gateways.add({ ...two, id: 'three' }, 2)).toBe('full')
    expect(await gateways.list()).toEqual([two, one])
    const { sealed: _, ...changed } = { ...one, settings: { zdr: true }, modified: 3 }
    expect(await gateways.change(changed)).toBe(true)
    expect(await gateways.change({ ...changed, id: 'four' })).toBe(false)
    stamps.push(await gateways.stamp())
    expect(await gateways.list()).toEqual([two, changed])
    expect([await gateways.remove('one'), await gateways.remove('one')]).toEqual([true, false])
    stamps.push(await gateways.stamp())
    expect(new Set(stamps).size).toBe(stamps.length)
  })

  test('with a gateway goes what is its own, and nothing else', async () => {
    const [gateways, keys, routes] = [gatewayStore(database), keyStore(database), routeStore(database)]
    for (const id of ['one', 'two']) {
      await gateways.add({ id, settings: {}, created: 1, modified: 1 }, 10)
      await keys.add(key(`key-${id}`, 'openai', id))
      await routes.add(id, 'route', [], bounds)
    }
    await gateways.remove('one')
    expect((await keys.list()).map(({ id }) => id)).toEqual(['key-two'])
    expect(await routes.live('one', 'route')).toBeUndefined()
    expect(await routes.live('two', 'route')).toBeString()
    const versions = await database.all('SELECT id FROM route_versions')
    const deployments = await database.all('SELECT id FROM route_deployments')
    expect([versions.length, deployments.length]).toEqual([1, 1])
  })

  test('custom providers are kept whole, and take their keys with them', async () => {
    const providers = customProviderStore(database)
    const one: StoredCustomProvider = {
      id: 'a',
      slug: 'heron',
      name: 'Heron',
      base_url: 'http://x',
      enable: true,
      details: { beta: true, position: 3 },
      sealed,
      created: 1,
      modified: 1,
    }
    const before = await providers.stamp()
    expect(await providers.add(one, 1)).toBe('added')
    expect(await providers.stamp()).not.toBe(before)
    expect(await providers.add({ ...one, id: 'b' }, 9)).toBe('taken')
    expect(await providers.add({ ...one, id: 'b', slug: 'egret' }, 1)).toBe('full')
    expect(await providers.list()).toEqual([one])
    const { sealed: _, ...changed } = { ...one, enable: false, details: {}, modified: 2 }
    expect(await providers.change(changed)).toBe(true)
    expect(await providers.list()).toEqual([changed])
    const keys = keyStore(database)
    await keys.add(key('one', 'custom-heron', 'default'))
    await keys.add(key('two', 'custom-egret', 'default'))
    expect([await providers.remove(one), await providers.remove(one)]).toEqual([true, false])
    expect((await keys.list()).map(({ id }) => id)).toEqual(['two'])
  })

  const bounds = { routes: 2, versions: 3 }
  const graph = (id: string): RouteElement[] => [{ id, type: 'end', outputs: {} }]

  test('of a route the newest deployment is live, and its versions stay', async () => {
    const routes = routeStore(database)
    const made = await routes.add('lab', 'one', graph('first'), bounds)
    if (typeof made !== 'object') throw new Error(made)
    expect(await routes.get('lab', made.id)).toEqual(made)
    expect(await routes.get('other', made.id)).toBeUndefined()
    const version = await routes.addVersion(made.id, graph('second'), bounds)
    if (typeof version !== 'object') throw new Error(version)
    expect(await routes.live('lab', 'one')).toBe(made.version.id)
    expect(await routes.deploy(made.id, 'nothing')).toBeUndefined()
    const deployment = await routes.deploy(made.id, version.id)
    expect(await routes.live('lab', 'one')).toBe(version.id)
    expect(await routes.elements(version.id)).toEqual(graph('second'))
    expect(await routes.get('lab', made.id)).toMatchObject({ version, deployment: { id: deployment!.id } })
    expect((await routes.versions(made.id, 0, 10)).map(({ id }) => id)).toEqual([version.id, made.version.id])
    expect((await routes.deployments(made.id, 1, 10)).map(({ id }) => id)).toEqual([made.deployment.id])
    expect(await routes.version(made.id, made.version.id)).toEqual(made.version)
    expect(await routes.version('another', made.version.id)).toBeUndefined()
  })

  test('routes have names of their own, and bounds', async () => {
    const routes = routeStore(database)
    const one = await routes.add('lab', 'one', graph('x'), bounds)
    if (typeof one !== 'object') throw new Error(one)
    expect(await routes.add('lab', 'one', graph('x'), bounds)).toBe('taken')
    expect(await routes.add('lab', 'two', graph('x'), bounds)).toBeObject()
    expect(await routes.add('lab', 'three', graph('x'), bounds)).toBe('full')
    expect(await routes.add('other', 'one', graph('x'), bounds)).toBeObject()
    expect(await routes.rename('lab', one.id, 'two')).toBe('taken')
    expect(await routes.rename('other', one.id, 'four')).toBe('gone')
    expect(await routes.rename('lab', one.id, 'four')).toBe('renamed')
    expect((await routes.list('lab', 0, 10)).map(({ name }) => name)).toEqual(['four', 'two'])
    expect((await routes.list('lab', 1, 10)).map(({ name }) => name)).toEqual(['two'])
    for (let count = 1; count < bounds.versions; count++)
      expect(await routes.addVersion(one.id, graph('x'), bounds)).toBeObject()
    expect(await routes.addVersion(one.id, graph('x'), bounds)).toBe('full')
    expect(await routes.addVersion('nobody', graph('x'), bounds)).toBe('gone')
    expect([await routes.remove('other', one.id), await routes.remove('lab', one.id)]).toEqual([false, true])
    expect(await routes.versions(one.id, 0, 10)).toEqual([])
  })

  test('tokens are kept whole, and change', async () => {
    const tokens = tokenStore(database)
    const said = {
      name: 'phone',
      hash: 'h',
      permissions: ['run' as const],
      gateways: ['lab'],
      rate_limit: 5,
      budget: 0,
      groups: ['birds'],
      claims: { team: 'blue', places: ['a', 'b'] },
      expires: 10,
      created: 1,
    }
    const kept = await tokens.add(said)
    expect(kept).toEqual({ ...said, id: expect.stringMatching(/^[0-9a-f]{32}$/), modified: 1 })
    expect(await tokens.findByHash('h')).toEqual(kept)
    const { gateways: _, rate_limit: __, ...rest } = kept
    const changed = { ...rest, hash: 'i', disabled: true, modified: 2 }
    expect(await tokens.change(changed)).toBe(true)
    expect(await tokens.list()).toEqual([changed])
    expect(await tokens.change({ ...changed, id: 'another' })).toBe(false)
  })

  test('tokens of older databases get ids', async () => {
    const older = await openAddress(await kind.fresh())
    const from = migrations.findIndex(step => step.startsWith('ALTER TABLE tokens'))
    await migrate(older, 'the test', migrations.slice(0, from))
    const hash = 'abcdef'.repeat(11)
    await older.run(
      'INSERT INTO tokens (name, hash, permissions, gateways, created) VALUES (?, ?, ?, ?, ?)',
      'old',
      hash,
      '["run"]',
      null,
      7,
    )
    await migrate(older, 'the test')
    expect(await tokenStore(older).list()).toEqual([
      { id: hash.slice(0, 32), name: 'old', hash, permissions: ['run'], created: 7, modified: 0 },
    ])
  })
})
