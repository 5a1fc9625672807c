import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type RunningApp, startApp, TOKEN } from '../support/app.ts'
import { post } from '../support/chat.ts'
import { type StandIn, standIn } from '../support/stand-in.ts'

/** Nothing secret is repeated to a client or in the log, whatever goes wrong. */

const PROMPT = 'the-prompt-that-nobody-else-reads'
const KEY = 'the-key-of-the-operator-0123456789'
const OWN_KEY = 'a-key-that-the-caller-brought-along'

let provider: StandIn
let app: RunningApp
let answer: () => Response = () => new Response()

beforeAll(async () => {
  provider = standIn(() => answer())
  app = await startApp({
    server: { max_body: 4_096 },
    providers: {
      openai: { base_url: provider.address, keys: { default: KEY } },
      anthropic: { base_url: provider.address, keys: { default: KEY } },
      mistral: { base_url: `http://127.0.0.1:1/${KEY}`, keys: { default: KEY } },
    },
  })
})
afterAll(async () => {
  await app.stop()
  provider.stop()
})

const message = { role: 'user', content: PROMPT }

const wrong: [string, unknown][] = [
  ['broken JSON', `{"model":"openai/m","messages":[{"role":"user","content":"${PROMPT}"`],
  ['a wrong role', { model: 'openai/m', messages: [{ role: PROMPT, content: PROMPT }] }],
  ['a wrong type', { model: 'openai/m', messages: [message], temperature: PROMPT }],
  ['a wrong key in a record', { model: 'openai/m', messages: [message], logit_bias: { [PROMPT]: 'x' } }],
  ['no model', { messages: [message] }],
  ['an unknown provider', { model: 'nobody/m', messages: [message] }],
  ['too large a body', { model: 'openai/m', messages: [{ role: 'user', content: PROMPT.repeat(200) }] }],
  ['what the dialect cannot express', { model: 'anthropic/m', messages: [message], n: 3 }],
  ['a provider out of reach', { model: 'mistral/m', messages: [message] }],
]

test.each(wrong)('%s', async (_, body) => {
  for (const stream of [false, true]) {
    const sent = typeof body === 'string' ? body : { ...(body as object), stream }
    const response = await post(app.address, sent, { headers: { authorization: `Bearer ${OWN_KEY}` } })
    const text = (await response.text()) + JSON.stringify([...response.headers])
    expect(response.status).toBeGreaterThanOrEqual(400)
    for (const secret of [PROMPT, KEY, OWN_KEY, TOKEN]) expect(text).not.toContain(secret)
    expect(text).not.toMatch(/\bat [^ ]+ \(|\.ts:\d/)
  }
})

test('a provider that quotes the prompt tells it to the client, and not to the log', async () => {
  const quote = `The prompt "${PROMPT}" is not allowed`
  for (const [model, given] of [
    ['openai/m', () => Response.json({ error: { message: quote, type: 'invalid_request_error' } }, { status: 400 })],
    ['openai/m', () => new Response(quote, { status: 500 })],
    [
      'anthropic/m',
      () =>
        new Response(`data: {"type":"error","error":{"type":"api_error","message":"${PROMPT}"}}\n\n`, {
          headers: { 'content-type': 'text/event-stream' },
        }),
    ],
  ] as const) {
    answer = given
    expect(await (await post(app.address, { model, messages: [message], stream: true })).text()).toContain(PROMPT)
  }
})

test('none of it is in the log, which has a line for each request', async () => {
  await app.record(wrong.length * 2 + 3)
  for (const secret of [PROMPT, KEY, OWN_KEY, TOKEN]) expect(app.logged()).not.toContain(secret)
  expect(app.logged()).not.toMatch(/"level":"error"/)
})
