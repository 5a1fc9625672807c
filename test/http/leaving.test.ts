import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { DialectName } from '../../src/dialects/dialect.ts'
import { streamPieces, streamType } from '../support/answers.ts'
import { type RunningApp, startApp } from '../support/app.ts'
import { ask, post } from '../support/chat.ts'
import { type Connection, chunk, head, type RawUpstream, rawUpstream } from '../support/raw-upstream.ts'

/** T95: a client that leaves takes the provider's work with it, at once. */

let upstream: RawUpstream
let app: RunningApp
let begin = Promise.withResolvers<Connection>()
let dialect: DialectName | undefined

const models: Partial<Record<DialectName, string>> = {
  'openai-chat': 'same/m',
  'anthropic-messages': 'claude/m',
  gemini: 'gem/m',
  'ollama-chat': 'local/m',
}

beforeAll(async () => {
  upstream = rawUpstream(async connection => {
    begin.resolve(connection)
    if (!dialect) return
    const type = { 'content-type': streamType(dialect), 'transfer-encoding': 'chunked' }
    await connection.write(head('200 OK', type))
    // Up to the first words, and then nothing for as long as anybody listens.
    const pieces = streamPieces(dialect, 'In the reeds.') as string[]
    await connection.write(
      pieces
        .slice(0, dialect === 'anthropic-messages' ? 3 : 1)
        .map(chunk)
        .join(''),
    )
  })
  const base_url = upstream.address
  app = await startApp({
    custom_providers: {
      same: { base_url, faithful: true },
      claude: { base_url, dialect: 'anthropic-messages', keys: { default: 'k' } },
      gem: { base_url, dialect: 'gemini', keys: { default: 'k' } },
      local: { base_url, dialect: 'ollama-chat' },
    },
  })
})
afterAll(async () => {
  await app.stop()
  upstream.stop()
})

async function leave(model: string, stream: boolean, when: 'waiting' | 'reading'): Promise<number> {
  begin = Promise.withResolvers()
  const leaving = new AbortController()
  const asked = post(app.address, ask(model, { stream }), { signal: leaving.signal })
  const connection = await begin.promise
  if (when === 'reading') {
    const reader = (await asked).body!.getReader()
    expect((await reader.read()).done).toBe(false)
  } else asked.catch(() => {})
  await Bun.sleep(20)
  expect(connection.isClosed).toBe(false)
  const left = performance.now()
  leaving.abort()
  await connection.closed
  return performance.now() - left
}

describe.each(Object.entries(models) as [DialectName, string][])('%s', (name, model) => {
  test.each([false, true])('while the provider’s status line is awaited; stream %p', async stream => {
    dialect = undefined
    const before = app.requests().length
    expect(await leave(model, stream, 'waiting')).toBeLessThan(1_000)
    expect(await app.record(before + 1)).toMatchObject({ status: 499 })
  })

  test('in the middle of the stream', async () => {
    dialect = name
    const before = app.requests().length
    expect(await leave(model, true, 'reading')).toBeLessThan(1_000)
    expect(await app.record(before + 1)).toMatchObject({ status: 499, stream: true })
  })

  test('in the middle of a stream that is gathered for a JSON answer', async () => {
    dialect = name
    const before = app.requests().length
    expect(await leave(model, false, 'waiting')).toBeLessThan(1_000)
    expect(await app.record(before + 1)).toMatchObject({ status: 499 })
  })
})

test('none of that is a fault of our own', () => {
  expect(app.logged()).not.toContain('"level":"error"')
})
