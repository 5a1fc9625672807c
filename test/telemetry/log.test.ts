import { describe, expect, test } from 'bun:test'
import { type LineSink, lineSink, type Output } from '../../src/telemetry/line-sink.ts'
import { createLog } from '../../src/telemetry/log.ts'

function memory(): LineSink & { lines: string[] } {
  const lines: string[] = []
  return { lines, write: line => void lines.push(line), flush: async () => {} }
}

const settings = { level: 'info', format: 'auto' } as const

describe('the log', () => {
  test('is JSON lines away from a terminal, with the level as a word and the time', async () => {
    const sink = memory()
    const { logger } = await createLog(settings, { terminal: false, sink })
    logger.info({ gateway: 'default' }, 'served')
    logger.debug('not this')
    expect(sink.lines).toHaveLength(1)
    const line = JSON.parse(sink.lines[0] ?? '')
    expect(line).toMatchObject({ level: 'info', gateway: 'default', msg: 'served' })
    expect(Date.parse(line.time)).toBeGreaterThan(0)
    expect(line.pid).toBeUndefined()
  })

  test('is readable on a terminal and where it is asked for', async () => {
    for (const [format, terminal] of [
      ['auto', true],
      ['readable', false],
    ] as const) {
      const sink = memory()
      const { logger } = await createLog({ level: 'info', format }, { terminal, sink })
      logger.warn({ port: 8787 }, 'careful')
      expect(sink.lines.join('')).toMatch(/WARN.*careful/)
      expect(sink.lines.join('')).toContain('8787')
      expect(() => JSON.parse(sink.lines[0] ?? '')).toThrow()
    }
    const sink = memory()
    ;(await createLog({ level: 'info', format: 'json' }, { terminal: true, sink })).logger.info('x')
    expect(JSON.parse(sink.lines[0] ?? '').msg).toBe('x')
  })

  test('shows no stack of an error and no headers of a request or an answer', async () => {
    const sink = memory()
    const { logger } = await createLog(settings, { terminal: false, sink })
    const request = new Request('http://here/v1/models?key=hidden-2', { headers: { authorization: 'Bearer hidden-1' } })
    const response = new Response('hidden-3', { status: 418, headers: { 'set-cookie': 'hidden-4' } })
    logger.error({ error: new Error('broken'), request, response, headers: request.headers }, 'x')
    logger.error(Object.assign(new Error('again'), { code: 'EPIPE', config: { key: 'hidden-5' } }))
    const text = sink.lines.join('')
    expect(text).not.toContain('hidden')
    expect(text).not.toContain('.ts:')
    expect(JSON.parse(sink.lines[0] ?? '')).toMatchObject({
      error: { type: 'Error', message: 'broken' },
      request: { method: 'GET', path: '/v1/models' },
      response: { status: 418 },
    })
    expect(JSON.parse(sink.lines[1] ?? '').err).toEqual({ type: 'Error', message: 'again', code: 'EPIPE' })
  })
})

/** An output whose writes end when the test says so. */
function slowOutput(): Output & { texts: string[]; finish(error?: Error): void } {
  const texts: string[] = []
  const waiting: ((error?: Error) => void)[] = []
  return {
    texts,
    write: (text, done) => {
      texts.push(text)
      waiting.push(done)
    },
    finish: error => waiting.shift()?.(error),
  }
}

describe('the sink of lines', () => {
  test('writes nothing at once, and everything together within its wait', async () => {
    const output = slowOutput()
    const sink = lineSink(output, { wait: 20 })
    sink.write('a\n')
    sink.write('b\n')
    expect(output.texts).toEqual([])
    await Bun.sleep(60)
    expect(output.texts).toEqual(['a\nb\n'])
  })

  test('has one write in progress at a time and loses nothing that comes meanwhile', async () => {
    const output = slowOutput()
    const sink = lineSink(output, { wait: 1 })
    sink.write('a\n')
    await Bun.sleep(20)
    sink.write('b\n')
    await Bun.sleep(20)
    expect(output.texts).toEqual(['a\n'])
    output.finish()
    await Bun.sleep(20)
    expect(output.texts).toEqual(['a\n', 'b\n'])
  })

  test('flush waits until everything is out', async () => {
    const texts: string[] = []
    const sink = lineSink({
      write: (text, done) => {
        texts.push(text)
        setTimeout(done, 10)
      },
    })
    sink.write('a\n')
    const flushed = sink.flush()
    sink.write('b\n')
    await flushed
    expect(texts.join('')).toBe('a\nb\n')
  })

  test('drops what nobody reads beyond its limit, and says how many', async () => {
    const output = slowOutput()
    const sink = lineSink(output, { wait: 1, limit: 10 })
    sink.write('first\n')
    await Bun.sleep(20)
    for (let n = 0; n < 5; n++) sink.write('12345\n')
    output.finish()
    await Bun.sleep(20)
    expect(output.texts[1]).toStartWith('12345\n')
    expect(JSON.parse(output.texts[1]?.split('\n')[1] ?? '')).toMatchObject({ level: 'warn', dropped: 4 })
  })

  test('a reader that is gone ends nothing', async () => {
    const output = slowOutput()
    const sink = lineSink(output, { wait: 1 })
    sink.write('a\n')
    await Bun.sleep(20)
    output.finish(new Error('EPIPE'))
    sink.write('b\n')
    await sink.flush()
    expect(output.texts).toEqual(['a\n'])
  })
})
