import { expect, test } from 'bun:test'
import { dropsIn } from '../../src/supervisor/drops.ts'
import type { Logger } from '../../src/telemetry/log.ts'
import { eventually } from '../binary/executable.ts'

test('ten thousand drops are a few lines, and none of them is missing from their sum', async () => {
  const lines: { store: string; count: number; why: string }[] = []
  const log = { warn: (line: (typeof lines)[number]) => void lines.push(line) } as unknown as Logger
  const { tell, rest } = dropsIn(log)
  for (let index = 0; index < 10_000; index++) tell('records', 1, 'queue')
  tell('records', 3, 'limit')
  // The first of each kind are told at once.
  expect(lines).toEqual([
    { store: 'records', count: 1, why: 'queue' },
    { store: 'records', count: 3, why: 'limit' },
  ])
  expect(await eventually(() => lines.length > 2)).toBe(true)
  expect(lines.slice(2)).toEqual([{ store: 'records', count: 9_999, why: 'queue' }])
  // A stop does not wait for the second.
  tell('records', 5, 'limit')
  rest()
  rest()
  expect(lines.slice(3)).toEqual([{ store: 'records', count: 5, why: 'limit' }])
})
