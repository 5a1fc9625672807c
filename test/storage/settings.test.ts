import { expect, test } from 'bun:test'
import { openStore } from '../../src/storage/store.ts'

test('a setting is what was set last, until it is removed', async () => {
  const { settings, close } = await openStore('sqlite::memory:')
  expect(await settings.get('limit')).toBeUndefined()
  await settings.set('limit', { amount: 1, note: 'a heron’s' })
  await settings.set('other', null)
  await settings.set('limit', { amount: 2 })
  expect(await settings.get('limit')).toEqual({ amount: 2 })
  expect(await settings.get('other')).toBeNull()
  expect(await settings.remove('limit')).toBe(true)
  expect(await settings.remove('limit')).toBe(false)
  expect(await settings.get('limit')).toBeUndefined()
  await close()
})
