import { expect, test } from 'bun:test'
import { PolicyBook } from '../../src/gateway/policies/book.ts'
import type { CreatePolicy } from '../../src/schemas/policy.ts'
import { policyStore } from '../../src/storage/policies.ts'
import { openStore } from '../../src/storage/store.ts'

const opened = async () => policyStore((await openStore('sqlite::memory:')).database)
const fine = () => {}
const policy = (name: string): CreatePolicy => ({ name, action: { type: 'no-limit' } })

test('a draft is beside what it is to replace until it is committed', async () => {
  const store = await opened()
  const { id } = (await store.add('g', policy('one'), false, 10))!
  await store.update('g', id, { name: 'two' }, false, fine)
  // Another change of the draft goes on from it.
  await store.update('g', id, { condition: 'false' }, false, fine)
  expect((await store.list('g')).map(one => [one.policy.name, one.policy.condition, one.draft])).toEqual([
    ['one', undefined, false],
    ['two', 'false', true],
  ])
  // A change that is committed leaves the draft a draft, and is not taken back by it.
  await store.update('g', id, { enabled: false }, true, fine)
  expect((await store.list('g')).map(one => [one.policy.name, one.policy.enabled, one.draft])).toEqual([
    ['one', false, false],
    ['two', false, true],
  ])
  const { committed, failed } = await store.commit('g', () => undefined)
  expect([committed.map(one => one.policy.name), failed]).toEqual([['two'], []])
  expect((await store.list('g')).map(one => [one.policy.name, one.draft])).toEqual([['two', false]])
  expect(await store.remove('g', id)).toBe(true)
  expect(await store.remove('g', id)).toBe(false)
})

test('a draft alone cannot be changed, one that fails stays a draft, and gateways are apart', async () => {
  const store = await opened()
  const one = (await store.add('g', policy('one'), true, 2))!
  await store.add('g', policy('two'), true, 2)
  expect(await store.add('g', policy('three'), true, 2)).toBeUndefined()
  expect(await store.add('h', policy('three'), true, 2)).toBeDefined()
  expect(await store.update('g', one.id, { name: 'x' }, true, fine)).toBe('draft')
  expect(await store.update('h', one.id, { name: 'x' }, true, fine)).toBeUndefined()
  const result = await store.commit('g', ({ name }) => (name === 'one' ? 'no good' : undefined))
  expect(result.committed.map(each => each.policy.name)).toEqual(['two'])
  expect(result.failed).toEqual([{ id: one.id, error: 'no good' }])
  expect((await store.list('g')).map(each => each.draft)).toEqual([true, false])
  // Nothing of a change that is refused remains.
  const [, live] = await store.list('g')
  const refused = store.update('g', live!.id, { name: 'x' }, true, () => {
    throw new Error('no good')
  })
  expect(refused).rejects.toThrow('no good')
  expect((await store.list('g'))[1]).toEqual(live!)
  await store.clear('g')
  expect([await store.list('g'), (await store.list('h')).length]).toEqual([[], 1])
})

test('the book has the policies of the file and those in force of the store, compiled once', async () => {
  const store = await opened()
  const book = new PolicyBook(new Map([['g', [{ action: { type: 'block' } }]]]), store, { error: () => {} })
  await store.add('g', policy('draft'), true, 10)
  await store.add('h', policy('live'), false, 10)
  const set = await book.of('g')
  expect(set?.policies.map(({ id }) => id)).toEqual(['file:1'])
  expect(book.of('g')).toBe(set)
  expect((await book.of('h'))?.policies.map(({ name }) => name)).toEqual(['live'])
  expect(await book.of('nowhere')).toBeUndefined()
  // Longer than an answer of the store is held.
  await Bun.sleep(2_050)
  expect(await book.of('g')).toBe(set)
  await store.commit('g', () => undefined)
  await Bun.sleep(2_050)
  expect((await book.of('g'))?.policies.map(({ id, name }) => name ?? id)).toEqual(['file:1', 'draft'])
})
