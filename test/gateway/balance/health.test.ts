import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import {
  mayTake,
  newHealth,
  note,
  type Outcome,
  stateOf,
  take,
  usualHealth,
} from '../../../src/gateway/balance/health.ts'

const settings = { coolDown: 100, refusedCoolDown: 1_000, failures: 3, open: 500, longest: 1_500 }
const well: Outcome = { ok: true, status: 200, firstByteMs: 10 }
const broken: Outcome = { ok: false, status: 503 }

/** A member that has just failed so often that its circuit is open. */
function opened(now = 0) {
  const health = newHealth()
  for (let count = 0; count < settings.failures; count++) {
    take(health, now)
    note(health, broken, now, settings)
  }
  return health
}

describe('the circuit', () => {
  test('opens after failures in a row, and not when a good answer came between', () => {
    const health = newHealth()
    for (const outcome of [broken, broken, well, broken, broken]) note(health, outcome, 0, settings)
    expect(stateOf(health, 0)).toBe('closed')
    note(health, { ok: false }, 0, settings)
    expect(stateOf(health, 0)).toBe('open')
    expect(mayTake(health, 499)).toBe(false)
    expect(stateOf(health, 500)).toBe('half-open')
  })

  test('lets one trial through, and closes when that goes well', () => {
    const health = opened()
    expect(mayTake(health, 500)).toBe(true)
    take(health, 500)
    expect(mayTake(health, 510)).toBe(false)
    note(health, well, 520, settings)
    expect(stateOf(health, 520)).toBe('closed')
    note(health, broken, 520, settings)
    note(health, broken, 520, settings)
    expect(stateOf(health, 520)).toBe('closed')
  })

  test('stays open twice as long after each failed trial, up to a bound, and is short again after a recovery', () => {
    const health = opened()
    let now = 500
    for (const wait of [1_000, 1_500, 1_500]) {
      take(health, now)
      note(health, broken, now, settings)
      expect(mayTake(health, now + wait - 1)).toBe(false)
      expect(mayTake(health, now + wait)).toBe(true)
      now += wait
    }
    take(health, now)
    note(health, well, now, settings)
    for (let count = 0; count < 3; count++) note(health, broken, now, settings)
    expect(mayTake(health, now + 500)).toBe(true)
  })

  test('what began before it opened changes nothing', () => {
    const health = opened()
    note(health, well, 10, settings)
    expect(stateOf(health, 10)).toBe('open')
    for (let count = 0; count < 9; count++) note(health, broken, 400, settings)
    expect(stateOf(health, 500)).toBe('half-open')
  })

  test('a trial whose client leaves makes room for another, and so does one that is never heard of again', () => {
    const health = opened()
    take(health, 500)
    note(health, { ok: false, left: true }, 510, settings)
    expect(mayTake(health, 510)).toBe(true)
    take(health, 510)
    expect(mayTake(health, 600_509)).toBe(false)
    expect(mayTake(health, 600_510)).toBe(true)
  })

  test.each([400, 404, 413, 422, 401, 403, 429])(
    'a refusal with %i does not open it, for the provider answers',
    status => {
      const health = newHealth()
      for (let count = 0; count < 20; count++) note(health, { ok: false, status }, 0, settings)
      expect(stateOf(health, 0)).toBe('closed')
    },
  )

  test.each([408, 500, 502, 529, undefined])('a failure with %p opens it', status => {
    const health = newHealth()
    for (let count = 0; count < 3; count++) note(health, { ok: false, status }, 0, settings)
    expect(stateOf(health, 0)).toBe('open')
  })

  test('property: it never lets a second trial through while one is under way', () => {
    const outcomes = fc.constantFrom<Outcome>(well, broken, { ok: false, left: true }, { ok: false, status: 429 })
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(700), fc.boolean(), outcomes), { maxLength: 60 }), steps => {
        const health = newHealth()
        let now = 0
        let waiting = 0
        for (const [pause, asks, outcome] of steps) {
          now += pause
          if (asks && mayTake(health, now)) {
            const trial = stateOf(health, now) === 'half-open'
            take(health, now)
            waiting++
            if (trial) expect(mayTake(health, now)).toBe(false)
          } else if (waiting) {
            waiting--
            note(health, outcome, now, settings)
          }
          expect(health.openFor).toBeLessThanOrEqual(settings.longest)
          expect((health.openUntil ?? 0) - now).toBeLessThanOrEqual(settings.longest)
        }
      }),
    )
  })
})

describe('cooling down', () => {
  test.each<[Outcome, number]>([
    [broken, 100],
    [{ ok: false }, 100],
    [{ ok: false, status: 429 }, 100],
    [{ ok: false, status: 429, retryAfterMs: 700 }, 700],
    [{ ok: false, status: 503, retryAfterMs: 700 }, 700],
    [{ ok: false, status: 429, retryAfterMs: 86_400_000 }, 1_500],
    [{ ok: false, status: 401 }, 1_000],
    [{ ok: false, status: 403 }, 1_000],
    [{ ok: false, status: 400 }, 0],
    [{ ok: false, left: true }, 0],
    [well, 0],
  ])('%j: %i ms', (outcome, wait) => {
    const health = newHealth()
    note(health, outcome, 50, settings)
    expect(Math.max(0, health.coolUntil - 50)).toBe(wait)
  })

  test('a good answer to what began earlier does not end it', () => {
    const health = newHealth()
    note(health, { ok: false, status: 429, retryAfterMs: 700 }, 0, usualHealth)
    note(health, well, 1, usualHealth)
    expect(health.coolUntil).toBe(700)
  })
})
