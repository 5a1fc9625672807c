import { describe, expect, test } from 'bun:test'
import { giveAssignment, takeAssignment } from '../../src/supervisor/assignment.ts'
import { backOff } from '../../src/supervisor/back-off.ts'
import { withPort } from '../../src/supervisor/configuration.ts'
import { drain } from '../../src/supervisor/drain.ts'
import type { FromWorker, ToWorker } from '../../src/supervisor/messages.ts'
import { slot, type WorkerProcess } from '../../src/supervisor/slot.ts'
import { createLog } from '../../src/telemetry/log.ts'

const { logger } = await createLog({ level: 'silent', format: 'json' }, { terminal: false })

describe('an assignment', () => {
  test('goes through the environment, is taken out of it, and lifts the limit of upstream requests', () => {
    const env = giveAssignment({ PATH: '/bin' }, { index: 2, first: true, shared: true, port: 1 })
    expect(Number(env.BUN_CONFIG_MAX_HTTP_REQUESTS)).toBeGreaterThan(60_000)
    expect(takeAssignment(env)).toEqual({ index: 2, first: true, shared: true, port: 1 })
    expect(takeAssignment(env)).toBeUndefined()
    expect(env.PATH).toBe('/bin')
  })

  test("the operator's own limit stays", () => {
    const env = giveAssignment({ BUN_CONFIG_MAX_HTTP_REQUESTS: '1000' }, { index: 0, first: true, shared: false })
    expect(env.BUN_CONFIG_MAX_HTTP_REQUESTS).toBe('1000')
  })
})

test('the pause before a new start doubles from 0.1 s to 5 s and begins again after 10 s of health', () => {
  const pause = backOff()
  expect(Array.from({ length: 8 }, () => pause(5))).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000])
  expect(pause(9_999)).toBe(5_000)
  expect(pause(10_000)).toBe(100)
})

test('the address for people gets the real port', () => {
  expect(withPort('http://127.0.0.1:0', 0, 4711)).toBe('http://127.0.0.1:4711')
  expect(withPort('http://127.0.0.1:8787', 8787, 9000)).toBe('http://127.0.0.1:9000')
  expect(withPort('https://gateway.example', 8787, 9000)).toBe('https://gateway.example')
})

/** A worker that ends when the test says so. */
function workers() {
  const started: { first: boolean; tell(message: FromWorker): void; end(signal?: string): void; told: ToWorker[] }[] =
    []
  const start = (first: boolean, tell: (message: FromWorker) => void): WorkerProcess => {
    const told: ToWorker[] = []
    let end: (how: { code: number | null; signal: string | null }) => void = () => {}
    const ended = new Promise<{ code: number | null; signal: string | null }>(resolve => {
      end = resolve
    })
    started.push({ first, tell, told, end: signal => end({ code: signal ? null : 2, signal: signal ?? null }) })
    return { send: message => void told.push(message), kill: () => end({ code: null, signal: 'SIGKILL' }), ended }
  }
  return { started, start }
}

const ready: FromWorker = { type: 'ready', port: 1, workers: 1, drain: 1, json: true, configuration: '{}' }

describe('a slot', () => {
  test('starts its worker again after its death, not as the first', async () => {
    const { started, start } = workers()
    slot({ index: 0, start, onMessage() {}, onStillborn() {}, notice() {} })
    started[0]?.tell(ready)
    started[0]?.end('SIGSEGV')
    await Bun.sleep(150)
    expect(started.map(({ first }) => first)).toEqual([true, false])
  })

  test('does not start again one that never was ready, where that ends the whole', async () => {
    const { started, start } = workers()
    const seen: unknown[] = []
    slot({ index: 0, start, onMessage() {}, onStillborn: (...how) => seen.push(how), notice() {} })
    started[0]?.end()
    await Bun.sleep(150)
    expect(seen).toEqual([[2, null]])
    expect(started).toHaveLength(1)
  })

  test('a stop is told to the worker and ends the starting, also during a pause', async () => {
    const { started, start } = workers()
    const kept = slot({ index: 0, start, onMessage() {}, onStillborn() {}, notice() {} })
    started[0]?.tell(ready)
    started[0]?.end('SIGKILL')
    await Bun.sleep(10)
    await kept.stop()
    await Bun.sleep(150)
    expect(started).toHaveLength(1)

    const other = workers()
    const running = slot({ index: 0, start: other.start, onMessage() {}, notice() {} })
    const stopped = running.stop()
    expect(other.started[0]?.told).toEqual([{ type: 'stop' }])
    other.started[0]?.end()
    await stopped
    expect(other.started).toHaveLength(1)
  })
})

describe('draining', () => {
  test('waits for what is pending and no longer', async () => {
    let pending = 2
    const stops: boolean[] = []
    const listener = { pending: () => pending, stop: async (graceful: boolean) => void stops.push(graceful) }
    setTimeout(() => {
      pending = 0
    }, 100)
    const begun = performance.now()
    await drain(listener, 10, logger)
    expect(performance.now() - begun).toBeGreaterThan(80)
    expect(performance.now() - begun).toBeLessThan(1_000)
    expect(stops).toEqual([true, false])
  })

  test('cuts what is pending after its seconds', async () => {
    const begun = performance.now()
    await drain({ pending: () => 1, stop: () => new Promise(() => {}) }, 0.2, logger)
    expect(performance.now() - begun).toBeLessThan(1_000)
  })
})
