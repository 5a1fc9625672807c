import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { File } from '../../src/config/schema.ts'
import { streamedAnswer, streamPieces } from '../support/answers.ts'
import { type RunningApp, startApp, TOKEN } from '../support/app.ts'
import { parseStream } from '../support/chat.ts'
import { type Connection, chunk, head, type RawUpstream, rawUpstream } from '../support/raw-upstream.ts'
import { type StandIn, standIn } from '../support/stand-in.ts'

/** Once a byte of an answer has gone to the client nobody is asked again, whatever becomes of it (contract 6.1). */

let bad: RawUpstream
let good: StandIn
let app: RunningApp
let behave: (connection: Connection) => unknown

const SILENCE_S = 0.2
const streamHead = { 'content-type': 'text/event-stream', 'transfer-encoding': 'chunked' }
const dialects = { same: 'openai-chat', other: 'anthropic-messages' } as const
type Kind = keyof typeof dialects

beforeEach(async () => {
  bad = rawUpstream(connection => behave(connection))
  good = standIn(({ path }) =>
    streamedAnswer(path.includes('messages') ? 'anthropic-messages' : 'openai-chat', 'From another.'),
  )
  const custom: Record<string, object> = {}
  const routes: Record<string, object> = {}
  for (const [kind, dialect] of Object.entries(dialects)) {
    const own = { dialect, faithful: dialect === 'openai-chat', keys: { default: 'k' } }
    custom[`bad-${kind}`] = { ...own, base_url: bad.address }
    custom[`good-${kind}`] = { ...own, base_url: good.address }
    custom[`pool-${kind}`] = {
      ...own,
      base_url: bad.address,
      strategy: 'round-robin',
      pool: [{ base_url: bad.address }, { base_url: good.address }],
    }
    const model = (id: string, fallback: string) => ({
      id,
      type: 'model',
      properties: { provider: `custom-${id}-${kind}`, model: 'm', timeout: 0, retries: 3 },
      outputs: { success: { elementId: 'end' }, fallback: { elementId: fallback } },
    })
    routes[kind] = {
      elements: [
        { id: 'start', type: 'start', outputs: { next: { elementId: 'bad' } } },
        model('bad', 'good'),
        model('good', 'end'),
        { id: 'end', type: 'end', outputs: {} },
      ],
    }
  }
  const file = {
    custom_providers: custom,
    gateways: { default: { routes, retry_max_attempts: 3, retry_delay: 1, stream_idle_timeout: SILENCE_S } },
  }
  app = await startApp(file as File)
})
afterEach(async () => {
  await app.stop()
  bad.stop()
  good.stop()
})

const MESSAGES = [{ role: 'user', content: 'Where does the heron stand?' }]

async function ask(path: string, body: unknown) {
  const response = await fetch(`${app.address}/v1/home/default${path}`, {
    method: 'POST',
    headers: { 'cf-aig-authorization': `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  let text = ''
  const decoder = new TextDecoder()
  let broken = false
  try {
    for await (const bytes of response.body!) text += decoder.decode(bytes, { stream: true })
  } catch {
    broken = true
  }
  return { status: response.status, text, broken }
}

/** Every way to somebody else. */
const ways: [name: string, (kind: Kind) => ReturnType<typeof ask>][] = [
  [
    'retries',
    kind => ask('/compat/chat/completions', { model: `custom-bad-${kind}/m`, messages: MESSAGES, stream: true }),
  ],
  [
    'a pool',
    kind => ask('/compat/chat/completions', { model: `custom-pool-${kind}/m`, messages: MESSAGES, stream: true }),
  ],
  ['a route', kind => ask('/compat/chat/completions', { model: `dynamic/${kind}`, messages: MESSAGES, stream: true })],
  [
    'a list of chats',
    kind =>
      ask(
        '',
        ['bad', 'good'].map(one => ({
          provider: 'compat',
          endpoint: 'chat/completions',
          query: { model: `custom-${one}-${kind}/m`, messages: MESSAGES, stream: true },
        })),
      ),
  ],
  [
    'a list in the provider’s format',
    kind =>
      ask(
        '',
        ['bad', 'good'].map(one => ({
          provider: `custom-${one}-${kind}`,
          endpoint: kind === 'same' ? 'chat/completions' : 'v1/messages',
          query: { model: 'm', max_tokens: 5, messages: MESSAGES, stream: true },
        })),
      ),
  ],
]
const all = ways.flatMap(([name, way]) => (Object.keys(dialects) as Kind[]).map(kind => [name, kind, way] as const))

/** Up to the first half of the text. */
const begun = (kind: Kind) =>
  (streamPieces(dialects[kind], 'In the reeds.') as string[])
    .slice(0, kind === 'same' ? 1 : 3)
    .map(chunk)
    .join('')

/** Of a request whose answer began at the bad one and ended there. */
async function endedThere({ status, text }: Awaited<ReturnType<typeof ask>>): Promise<void> {
  expect(status).toBe(200)
  expect(text).toContain('In the ')
  expect(text).not.toContain('From')
  expect(text).not.toContain('[DONE]')
  expect([bad.requests.length, good.seen.length]).toEqual([1, 0])
  expect(await app.record(1)).toMatchObject({ status: 200, error: 'upstream_closed' })
  expect(app.requests()).toHaveLength(1)
}

describe('a stream that breaks off after its first words', () => {
  test.each(all)('%s, %s dialect', async (_, kind, way) => {
    behave = async connection => {
      await connection.write(head('200 OK', streamHead) + begun(kind))
      await Bun.sleep(30)
      connection.end()
    }
    await endedThere(await way(kind))
  })
})

describe('stream_idle_timeout', () => {
  test.each(all)('ends a stream that falls silent, and nobody else is asked: %s, %s dialect', async (_, kind, way) => {
    const closed = Promise.withResolvers<void>()
    behave = async connection => {
      void connection.closed.then(closed.resolve)
      await connection.write(head('200 OK', streamHead) + begun(kind))
    }
    await endedThere(await way(kind))
    // The provider does not go on for nobody.
    await closed.promise
  })

  const before = all.filter(([name]) => name !== 'retries' && !name.includes('format'))
  test.each(before)('before the first word, somebody else is asked: %s, %s dialect', async (_, kind, way) => {
    behave = connection => connection.write(head('200 OK', streamHead))
    const { status, text } = await way(kind)
    expect(status).toBe(200)
    expect(parseStream(text)).toMatchObject({ text: 'From another.', done: true })
    expect(text).not.toContain('error')
  })
})
