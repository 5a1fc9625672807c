import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Spool } from '../../../src/telemetry/logpush/spool.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-spool-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const textOf = async (spool: Spool) => Buffer.from(await spool.read(spool.oldest()!)).toString()

describe('batches on disk', () => {
  test('are there again after a start, without a line that was not finished', async () => {
    const first = await Spool.open(folder, 1_000)
    await first.append('{"a":1}\n', 1)
    await first.seal()
    await first.append('{"b":1}\n{"b":2}\n', 2)
    const [open] = readdirSync(folder).filter(name => name.endsWith('.open'))
    writeFileSync(join(folder, open!), '{"b":3', { flag: 'a' })

    const second = await Spool.open(folder, 1_000)
    expect(second.waiting).toBe(2)
    expect(await textOf(second)).toBe('{"a":1}\n')
    await second.remove(second.oldest()!)
    expect(second.oldest()).toMatchObject({ lines: 2 })
    expect(await textOf(second)).toBe('{"b":1}\n{"b":2}\n')
    await second.remove(second.oldest()!)
    expect(second.bytes).toBe(0)
    expect(readdirSync(folder)).toEqual([])
  })

  test('have a bound, beyond which the oldest go and are counted', async () => {
    const spool = await Spool.open(folder, 30)
    for (let n = 0; n < 5; n++) {
      await spool.append('123456789\n', 1)
      await spool.seal()
    }
    expect(spool.waiting).toBe(3)
    expect(spool.bytes).toBe(30)
    expect(spool.dropped).toBe(2)
    expect(readdirSync(folder)).toHaveLength(3)
  })

  test('of a process that is no more are taken over', async () => {
    const other = join(folder, '3')
    const gone = await Spool.open(other, 1_000)
    await gone.append('x\n', 1)
    await gone.seal()
    await gone.append('y\n', 1)
    const spool = await Spool.open(join(folder, '0'), 1_000, [other])
    expect(spool.waiting).toBe(2)
    expect(readdirSync(other)).toEqual([])
  })

  test('lose nothing to appending and sealing at the same time', async () => {
    const spool = await Spool.open(folder, 1_000_000)
    const work: Promise<void>[] = []
    for (let n = 0; n < 200; n++) {
      work.push(spool.append(`${n}\n`, 1))
      if (n % 7 === 0) work.push(spool.seal())
    }
    await Promise.all(work)
    await spool.seal()
    const lines: string[] = []
    for (let one = spool.oldest(); one; one = spool.oldest()) {
      lines.push(...(await textOf(spool)).trimEnd().split('\n'))
      await spool.remove(one)
    }
    expect(lines).toEqual(Array.from({ length: 200 }, (_, n) => String(n)))
  })
})
