import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { frameOf, type Window } from '../../../src/storage/counters/window.ts'

const at = (text: string) => Date.parse(`${text}Z`)

describe('a calendar window', () => {
  const cases: [period: 'hourly' | 'daily' | 'weekly' | 'monthly', now: string, from: string, to: string][] = [
    ['hourly', '2026-07-01T12:59:59.999', '2026-07-01T12:00', '2026-07-01T13:00'],
    ['daily', '2026-12-31T23:59:59', '2026-12-31T00:00', '2027-01-01T00:00'],
    ['weekly', '2026-07-05T23:59:59.999', '2026-06-29T00:00', '2026-07-06T00:00'],
    ['weekly', '2026-07-06T00:00', '2026-07-06T00:00', '2026-07-13T00:00'],
    ['monthly', '2028-02-29T05:00', '2028-02-01T00:00', '2028-03-01T00:00'],
    ['monthly', '2026-12-31T23:59:59.999', '2026-12-01T00:00', '2027-01-01T00:00'],
  ]
  test.each(cases)('%s at %s is from %s to %s', (period, now, from, to) => {
    expect(frameOf({ kind: 'calendar', period }, at(now))).toEqual({
      bucket: at(from),
      from: at(from),
      span: at(to) - at(from),
    })
  })
})

test('a fixed window is aligned to the multiples of its length', () => {
  expect(frameOf({ kind: 'fixed', seconds: 60 }, at('2026-07-01T12:00:59.999'))).toEqual({
    bucket: at('2026-07-01T12:00'),
    from: at('2026-07-01T12:00'),
    span: 60_000,
  })
})

const sliding = fc.record<Window & { kind: 'sliding' }>({
  kind: fc.constant('sliding'),
  seconds: fc.oneof(fc.constantFrom(0.001, 0.01, 0.064, 0.065, 1, 60), fc.integer({ min: 1, max: 5_000_000 })),
})
const moment = fc.integer({ min: 0, max: 4_000_000_000_000 })

test('a bucket of a sliding window counts as long as any moment in it is in the window, and a 64th longer at most', () => {
  fc.assert(
    fc.property(sliding, moment, fc.integer({ min: 0, max: 10_000_000_000 }), (window, now, later) => {
      const length = window.seconds * 1000
      const { bucket, span } = frameOf(window, now)
      const frame = frameOf(window, now + later)
      const counts = bucket >= frame.from
      if (later < length) expect(counts).toBe(true)
      if (later >= length + Math.ceil(length / 64)) expect(counts).toBe(false)
      // Both ways to say it are the same.
      expect(counts).toBe(now + later < bucket + span)
      // What is taken now counts now.
      expect(frame.bucket).toBeGreaterThanOrEqual(frame.from)
    }),
    { numRuns: 2_000 },
  )
})
