import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { File } from '../../src/config/schema.ts'
import type { DialectName } from '../../src/dialects/dialect.ts'
import { sse, streamedAnswer, wholeAnswer } from '../support/answers.ts'
import { type RunningApp, startApp, TOKEN } from '../support/app.ts'
import { parseStream } from '../support/chat.ts'
import {
  type Connection,
  chunk,
  head,
  LAST_CHUNK,
  type RawUpstream,
  rawUpstream,
  whole,
} from '../support/raw-upstream.ts'
import { type StandIn, standIn } from '../support/stand-in.ts'

/** One provider fails in every way there is while another answers: no client may see an error (contract 6.2, 7). */

const page = '<!doctype html><html><head><title>Please sign in</title></head></html>'
const streamHead = { 'content-type': 'text/event-stream', 'transfer-encoding': 'chunked' }
const jsonHead = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' }
const problem = (status: number) =>
  JSON.stringify({ type: 'error', error: { type: 'x', message: 'no', code: `${status}` } })
const failing =
  (status: string, headers: Record<string, string> = {}) =>
  (connection: Connection) =>
    connection.write(whole(status, problem(Number(status.slice(0, 3))), headers))

/** What a provider does, whether or not a stream was asked for. */
const always: Record<string, (connection: Connection) => unknown> = {
  closed: connection => connection.end(),
  reset: connection => connection.reset(),
  'half-head': async connection => {
    await connection.write('HTTP/1.1 200 OK\r\ncontent-ty')
    connection.end()
  },
  garbage: async connection => {
    await connection.write('\x16\x03\x01 this is no HTTP at all\r\n\r\n')
    connection.end()
  },
  'empty-body': connection => connection.write(whole('200 OK', '')),
  'web-page': connection => connection.write(whole('200 OK', page, { 'content-type': 'text/html' })),
  'web-page-502': connection => connection.write(whole('502 Bad Gateway', page, { 'content-type': 'text/html' })),
  'half-json': connection => connection.write(whole('200 OK', '{"id":"x","choices":[')),
  'wrong-length': async connection => {
    await connection.write(`${head('200 OK', { 'content-type': 'application/json', 'content-length': 500 })}{"id":`)
    connection.end()
  },
  'broken-json': async connection => {
    await connection.write(head('200 OK', jsonHead) + chunk('{"id":"x","choices":['))
    connection.end()
  },
  'error-in-200': connection => connection.write(whole('200 OK', problem(429))),
  redirect: connection => connection.write(whole('307 Temporary Redirect', '', { location: 'http://127.0.0.1:1/' })),
  slow: connection => connection.closed,
  'status-408': failing('408 Request Timeout'),
  'status-409': failing('409 Conflict'),
  'status-429': failing('429 Too Many Requests', { 'retry-after': '0' }),
  'status-500': failing('500 Internal Server Error'),
  'status-503': failing('503 Service Unavailable'),
  'status-529': failing('529 Site is overloaded'),
}
/** Those of a stream, before its first word. */
const streamed: typeof always = {
  'empty-stream': connection => connection.write(head('200 OK', streamHead) + LAST_CHUNK),
  'broken-stream': async connection => {
    await connection.write(head('200 OK', streamHead))
    await Bun.sleep(10)
    connection.end()
  },
  'error-event': connection =>
    connection.write(
      whole('200 OK', sse({ type: 'error', error: { type: 'overloaded_error', message: 'full' } }, 'error'), {
        'content-type': 'text/event-stream',
      }),
    ),
}
/** What is the fault of the request or its key elsewhere: another provider may see it otherwise, the same will not. */
const final: typeof always = {
  'status-400': failing('400 Bad Request'),
  'status-401': failing('401 Unauthorized'),
  'status-403': failing('403 Forbidden'),
  'status-404': failing('404 Not Found'),
}
const faults = { ...always, ...streamed, ...final }
/** Nobody listens there, and no such host. */
const nowhere = { refused: 'http://127.0.0.1:1', 'no-such-host': 'http://no-such-host.invalid' }

const dialects: Record<string, DialectName> = { same: 'openai-chat', other: 'anthropic-messages' }

let bad: RawUpstream
let good: StandIn
let app: RunningApp

beforeAll(async () => {
  bad = rawUpstream((connection, request) => faults[/^POST \/([a-z0-9-]+)/.exec(request)?.[1] ?? '']?.(connection))
  good = standIn(({ body, path }) => {
    const dialect = path.includes('messages') ? 'anthropic-messages' : 'openai-chat'
    return (body.stream ? streamedAnswer : wholeAnswer)(dialect, 'In the reeds.')
  })
  const custom: NonNullable<File['custom_providers']> = {}
  const routes: Record<string, object> = {}
  const all = { ...Object.fromEntries(Object.keys(faults).map(name => [name, `${bad.address}/${name}`])), ...nowhere }
  for (const [kind, dialect] of Object.entries(dialects)) {
    const own = { dialect, faithful: dialect === 'openai-chat', keys: { default: 'k' } }
    custom[`good-${kind}`] = { ...own, base_url: good.address }
    for (const [name, base_url] of Object.entries(all)) {
      custom[`bad-${kind}-${name}`] = { ...own, base_url }
      // One for each test, since what fails is left alone for a while.
      for (const use of ['chat-false', 'chat-true', 'native-false', 'native-true'])
        custom[`pool-${kind}-${name}-${use}`] = {
          ...own,
          base_url,
          strategy: 'round-robin',
          pool: [{ base_url }, { base_url: good.address }],
        }
      const model = (id: string, provider: string, fallback: string) => ({
        id,
        type: 'model',
        properties: { provider, model: 'm', timeout: 150, retries: 1 },
        outputs: { success: { elementId: 'end' }, fallback: { elementId: fallback } },
      })
      routes[`${kind}-${name}`] = {
        elements: [
          { id: 'start', type: 'start', outputs: { next: { elementId: 'a' } } },
          model('a', `custom-bad-${kind}-${name}`, 'b'),
          model('b', `custom-good-${kind}`, 'end'),
          { id: 'end', type: 'end', outputs: {} },
        ],
      }
    }
  }
  app = await startApp({ custom_providers: custom, gateways: { default: { routes } } } as File)
})
afterAll(async () => {
  await app.stop()
  bad.stop()
  good.stop()
})

const MESSAGES = [{ role: 'user', content: 'Where does the heron stand?' }]
const TIME = { 'cf-aig-request-timeout': '150' }

async function ask(path: string, body: unknown, headers: Record<string, string> = TIME) {
  const lines = app.requests().length
  const response = await fetch(`${app.address}/v1/home/default${path}`, {
    method: 'POST',
    headers: { 'cf-aig-authorization': `Bearer ${TOKEN}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  const text = await response.text()
  await app.record(lines + 2)
  return { response, text, lines: app.requests().slice(lines) }
}
type Asked = Awaited<ReturnType<typeof ask>>

/** What the client has is the whole answer of the one that is well. */
function isGood({ response, text }: Asked, stream: boolean, format = 'openai-chat'): void {
  expect({ status: response.status, text }).toMatchObject({ status: 200, text: expect.stringContaining('reeds') })
  expect(text).not.toContain('"error"')
  if (!stream) expect(JSON.parse(text)).toBeObject()
  else if (format === 'openai-chat') expect(parseStream(text)).toMatchObject({ text: 'In the reeds.', done: true })
}

/** Two lines of one request, of which the first failed. */
function told({ response, lines }: Asked, first: object, second: object): void {
  expect(lines).toHaveLength(2)
  expect(lines[0]!.status as number).toBeGreaterThanOrEqual(300)
  expect(lines[0]).toMatchObject(first)
  expect(lines[1]).toMatchObject({ ...second, status: 200 })
  expect(lines[1]!.id).toBe(response.headers.get('cf-aig-log-id')!)
  expect(lines[0]!.id).not.toBe(lines[1]!.id)
}

type Case = readonly [name: string, kind: string, stream: boolean]
const cases = (names: string[]): Case[] =>
  names.flatMap(name =>
    Object.keys(dialects).flatMap(kind =>
      (name in streamed ? [true] : [false, true]).map(stream => [name, kind, stream] as const),
    ),
  )
const everywhere = [...Object.keys(faults), ...Object.keys(nowhere)]
const retried = everywhere.filter(name => !(name in final))

function testEach(all: Case[], work: (...one: Case) => Promise<void>): void {
  for (const [name, kind, stream] of all)
    test(`${name}, ${kind} dialect, stream ${stream}`, () => work(name, kind, stream))
}

describe('a list of chats', () => {
  testEach(cases(everywhere), async (name, kind, stream) => {
    const step = (provider: string) => ({
      provider: 'compat',
      endpoint: 'chat/completions',
      query: { model: `custom-${provider}/m`, messages: MESSAGES, stream },
    })
    const asked = await ask('', [step(`bad-${kind}-${name}`), step(`good-${kind}`)])
    isGood(asked, stream)
    expect(asked.response.headers.get('cf-aig-step')).toBe('1')
    told(asked, { step: 0, provider: `custom-bad-${kind}-${name}` }, { step: 1, provider: `custom-good-${kind}` })
  })
})

describe('a route', () => {
  testEach(cases(everywhere), async (name, kind, stream) => {
    const body = { model: `dynamic/${kind}-${name}`, messages: MESSAGES, stream }
    const asked = await ask('/compat/chat/completions', body, {})
    isGood(asked, stream)
    const { headers } = asked.response
    expect([headers.get('cf-aig-step'), headers.get('cf-aig-provider')]).toEqual(['1', `custom-good-${kind}`])
    told(asked, { step: 0, provider: `custom-bad-${kind}-${name}` }, { step: 1, provider: `custom-good-${kind}` })
  })
})

const RETRIES = { ...TIME, 'cf-aig-max-attempts': '2', 'cf-aig-retry-delay': '0' }

describe('retries on a pool', () => {
  testEach(cases(retried), async (name, kind, stream) => {
    const provider = `custom-pool-${kind}-${name}-chat-${stream}`
    const body = { model: `${provider}/m`, messages: MESSAGES, stream }
    const asked = await ask('/compat/chat/completions', body, RETRIES)
    isGood(asked, stream)
    told(asked, { provider }, { provider, attempt: 2 })
    expect(asked.lines[0]!.attempt).toBeUndefined()
  })

  test.each(Object.keys(final))('%s is not asked again', async name => {
    const before = good.seen.length
    const response = await fetch(`${app.address}/v1/home/default/compat/chat/completions`, {
      method: 'POST',
      headers: { 'cf-aig-authorization': `Bearer ${TOKEN}`, ...RETRIES },
      body: JSON.stringify({ model: `custom-bad-same-${name}/m`, messages: MESSAGES }),
    })
    expect(`status-${response.status}`).toBe(name)
    expect(good.seen.length).toBe(before)
  })
})

describe('in a provider’s own format', () => {
  const queries = {
    same: ['chat/completions', 'openai-chat'],
    other: ['v1/messages', 'anthropic-messages'],
  } as const

  describe('a list', () =>
    testEach(cases(everywhere), async (name, kind, stream) => {
      const [endpoint, format] = queries[kind as keyof typeof queries]
      const step = (provider: string) => ({
        provider: `custom-${provider}`,
        endpoint,
        query: { model: 'm', max_tokens: 5, messages: MESSAGES, stream },
      })
      const asked = await ask('', [step(`bad-${kind}-${name}`), step(`good-${kind}`)])
      isGood(asked, stream, format)
      expect(asked.response.headers.get('cf-aig-step')).toBe('1')
      told(asked, { step: 0 }, { step: 1 })
    }))

  // A redirect is an answer there.
  const here = cases(retried.filter(name => name !== 'redirect'))
  describe('retries', () =>
    testEach(here, async (name, kind, stream) => {
      const [endpoint, format] = queries[kind as keyof typeof queries]
      const body = { model: 'm', max_tokens: 5, messages: MESSAGES, stream }
      const asked = await ask(`/custom-pool-${kind}-${name}-native-${stream}/${endpoint}`, body, RETRIES)
      isGood(asked, stream, format)
      told(asked, {}, { attempt: 2 })
    }))
})

describe('a storm of all of them at once', () => {
  test('nobody sees an error', async () => {
    const all = cases(everywhere).map(async ([name, kind, stream]) => {
      const response = await fetch(`${app.address}/v1/home/default/compat/chat/completions`, {
        method: 'POST',
        headers: { 'cf-aig-authorization': `Bearer ${TOKEN}` },
        body: JSON.stringify({ model: `dynamic/${kind}-${name}`, messages: MESSAGES, stream }),
      })
      return { name, status: response.status, isWhole: (await response.text()).includes('reeds') }
    })
    for (const one of await Promise.all(all)) expect(one).toEqual({ name: one.name, status: 200, isWhole: true })
  })

  test('and nothing went wrong in us', () => {
    expect(app.logged()).not.toContain('a fault of our own')
    expect(app.logged()).not.toMatch(/"level":"(error|fatal)"/)
  })
})

test('the last answer is an error where nobody answers well, with its step', async () => {
  const step = (name: string) => ({
    provider: 'compat',
    endpoint: 'chat/completions',
    query: { model: `custom-bad-same-${name}/m`, messages: MESSAGES },
  })
  const asked = await ask('', [step('status-503'), step('status-529')])
  expect([asked.response.status, asked.response.headers.get('cf-aig-step')]).toEqual([529, '1'])
})
