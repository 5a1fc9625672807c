import { describe, expect, test } from 'bun:test'
import { beginTrace, nextSpan, traceparentOf } from '../../../src/telemetry/otel/trace.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SPAN = 'b7ad6b7169203331'
const OTHER = '4bf92f3577b34da6a3ce929d0e0e4736'

describe('the ids of an attempt', () => {
  test('are made where nobody gives any', () => {
    const [one, two] = [beginTrace({}), beginTrace({})]
    expect(one.traceId).toMatch(/^[0-9a-f]{32}$/)
    expect(one.spanId).toMatch(/^[0-9a-f]{16}$/)
    expect(one.parentSpanId).toBeUndefined()
    expect(one.sampled).toBe(true)
    expect(two.traceId).not.toBe(one.traceId)
  })

  test('belong to the trace of the caller’s traceparent', () => {
    const trace = beginTrace({ traceparent: `00-${TRACE}-${SPAN}-01` })
    expect(trace).toMatchObject({ traceId: TRACE, parentSpanId: SPAN, sampled: true })
    expect(trace.spanId).not.toBe(SPAN)
    expect(traceparentOf(trace)).toBe(`00-${TRACE}-${trace.spanId}-01`)
  })

  test('belong to the trace that the gateway’s own headers name, before any other', () => {
    const traceparent = `00-${OTHER}-${SPAN}-01`
    expect(beginTrace({ traceId: TRACE, traceparent })).toMatchObject({ traceId: TRACE })
    expect(beginTrace({ traceId: TRACE, traceparent }).parentSpanId).toBeUndefined()
    const both = beginTrace({ traceId: TRACE, parentSpanId: '00f067aa0ba902b7', traceparent })
    expect(both).toMatchObject({ traceId: TRACE, parentSpanId: '00f067aa0ba902b7' })
    // The same trace: its span is the parent.
    expect(beginTrace({ traceId: OTHER, traceparent }).parentSpanId).toBe(SPAN)
  })

  test('say no more than the caller does of whether anybody records', () => {
    const trace = beginTrace({ traceparent: `00-${TRACE}-${SPAN}-00` })
    expect(trace.sampled).toBe(false)
    expect(traceparentOf(trace)).toEndWith('-00')
    // Who names a trace wants to see it.
    expect(beginTrace({ traceId: TRACE, traceparent: `00-${TRACE}-${SPAN}-00` }).sampled).toBe(true)
  })

  test('take no notice of a traceparent that is none', () => {
    for (const traceparent of [
      '',
      'x',
      `ff-${TRACE}-${SPAN}-01`,
      `00-${'0'.repeat(32)}-${SPAN}-01`,
      `00-${TRACE}-${'0'.repeat(16)}-01`,
      `00-${TRACE}-${SPAN}-01-more`,
      `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    ]) {
      const trace = beginTrace({ traceparent })
      expect(trace.traceId).not.toBe(TRACE)
      expect(trace.parentSpanId).toBeUndefined()
    }
    // A later version may have more parts.
    expect(beginTrace({ traceparent: `01-${TRACE}-${SPAN}-01-more` }).traceId).toBe(TRACE)
  })

  test('of a further attempt stand beside those of the first', () => {
    const first = beginTrace({ traceparent: `00-${TRACE}-${SPAN}-01` })
    const second = nextSpan(first)
    expect(second).toMatchObject({ traceId: TRACE, parentSpanId: SPAN })
    expect(second.spanId).not.toBe(first.spanId)
  })
})
