import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { watchConfig } from '../../src/config/watch.ts'

let folder: string
let path: string
let changes: number
let stop: () => void

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-watch-'))
  path = join(folder, 'postern.yaml')
  writeFileSync(path, 'account: one\n')
  changes = 0
  stop = () => {}
})
afterEach(() => {
  stop()
  rmSync(folder, { recursive: true, force: true })
})

const start = (interval = 60_000) => {
  stop = watchConfig(path, () => changes++, { quiet: 30, interval })
}

/** Waits until there are so many changes, and a while longer to see that there are no more. */
async function settled(count: number): Promise<number> {
  const end = performance.now() + 3_000
  while (changes < count && performance.now() < end) await Bun.sleep(10)
  await Bun.sleep(100)
  return changes
}

test('a file that is written', async () => {
  start()
  writeFileSync(path, 'account: longer\n')
  expect(await settled(1)).toBe(1)
})

test('several writes in a row are one change', async () => {
  start()
  for (let round = 0; round < 5; round++) {
    writeFileSync(path, `account: ${'x'.repeat(round + 4)}\n`)
    await Bun.sleep(5)
  }
  expect(await settled(1)).toBe(1)
})

test('a new file that takes its name, again and again', async () => {
  start()
  for (let round = 1; round <= 3; round++) {
    writeFileSync(join(folder, '.swap'), `account: n${'x'.repeat(round)}\n`)
    renameSync(join(folder, '.swap'), path)
    expect(await settled(round)).toBe(round)
  }
})

test('a file that goes and comes back', async () => {
  start()
  rmSync(path)
  await Bun.sleep(150)
  expect(changes).toBe(0)
  writeFileSync(path, 'account: back again\n')
  expect(await settled(1)).toBe(1)
})

test('other files of the folder are no change', async () => {
  start()
  writeFileSync(join(folder, 'postern.db'), 'x')
  await Bun.sleep(150)
  expect(changes).toBe(0)
})

test('a link that is turned to another file, as in Kubernetes', async () => {
  for (const name of ['a', 'b']) {
    mkdirSync(join(folder, name))
    writeFileSync(join(folder, name, 'postern.yaml'), `account: ${name}\n`)
  }
  symlinkSync('a', join(folder, '..data'))
  rmSync(path)
  symlinkSync(join('..data', 'postern.yaml'), path)
  start()
  symlinkSync('b', join(folder, '..next'))
  renameSync(join(folder, '..next'), join(folder, '..data'))
  expect(await settled(1)).toBe(1)
})

test('a look now and then finds what the system does not tell of', async () => {
  // The watched folder holds only a link; the file that it leads to changes elsewhere, unseen by the watch.
  const elsewhere = mkdtempSync(join(tmpdir(), 'postern-elsewhere-'))
  writeFileSync(join(elsewhere, 'real.yaml'), 'account: one\n')
  rmSync(path)
  symlinkSync(join(elsewhere, 'real.yaml'), path)
  start(50)
  writeFileSync(join(elsewhere, 'real.yaml'), 'account: changed\n')
  expect(await settled(1)).toBe(1)
  rmSync(elsewhere, { recursive: true })
})

test('after its end nothing is told', async () => {
  start(20)
  stop()
  writeFileSync(path, 'account: longer\n')
  await Bun.sleep(150)
  expect(changes).toBe(0)
})
