import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { streamedAnswer, wholeAnswer } from '../support/answers.ts'
import { type RunningApp, startApp, TOKEN } from '../support/app.ts'
import { type StandIn, standIn } from '../support/stand-in.ts'

/** A deployment has a name of the operator's own: what it costs is told by the model that answered. */

/** Eleven tokens in and seven out, of "the-model-itself". */
const COST = (11 * 1 + 7 * 10) / 1_000_000
const MODEL = { input: 1, output: 10 }

let provider: StandIn
let app: RunningApp
beforeAll(async () => {
  provider = standIn(({ body }) =>
    body.stream ? streamedAnswer('openai-chat', 'Yes.') : wholeAnswer('openai-chat', 'Yes.'),
  )
  const base_url = provider.address
  const keys = { default: 'key-of-the-operator' }
  app = await startApp({
    providers: {
      'azure-openai': { base_url: `${base_url}/openai/deployments/{deployment}`, keys },
      openai: { base_url, keys },
    },
    prices: {
      'azure-openai/the-model-itself': MODEL,
      'openai/the-model-itself': MODEL,
      'azure-openai/priced-by-name': { input: 0, output: 0, request: 0.5 },
    },
  })
})
afterAll(async () => {
  await app.stop()
  provider.stop()
})

async function costOf(path: string, body: object): Promise<unknown> {
  const before = app.requests().length
  const response = await fetch(`${app.address}/v1/home/default/${path}`, {
    method: 'POST',
    headers: { 'cf-aig-authorization': `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'Is it?' }], ...body }),
  })
  expect(response.status).toBe(200)
  await response.text()
  return (await app.record(before + 1)).cost
}

const COMPAT = 'compat/chat/completions'
const NATIVE = 'azure-openai/house/herons-of-ours/chat/completions?api-version=2024-10-21'

describe.each([false, true])('streamed: %p', stream => {
  test.each([
    ['translated', COMPAT, { model: 'azure-openai/herons-of-ours' }],
    ['passed on', COMPAT, { model: 'openai/an-alias' }],
    ['in the provider’s own format', NATIVE, {}],
  ])('%s', async (_, path, body) => {
    expect(await costOf(path, { ...body, stream })).toBe(COST)
  })

  test('a deployment with a price of its own keeps it', async () => {
    expect(await costOf(COMPAT, { model: 'azure-openai/priced-by-name', stream })).toBe(0.5)
  })
})

test('an answer in one piece that was asked for as a stream', async () => {
  provider.stop()
  provider = standIn(() => wholeAnswer('openai-chat', 'Yes.'))
  app.reload({
    providers: {
      'azure-openai': { base_url: `${provider.address}/openai/deployments/{deployment}`, keys: { default: 'k' } },
    },
    prices: { 'azure-openai/the-model-itself': MODEL },
  })
  expect(await costOf(COMPAT, { model: 'azure-openai/herons-of-ours', stream: true })).toBe(COST)
})

test('speech is charged by the characters that were to be said, and named by what was asked for', async () => {
  const speaking = standIn(() => new Response('sound', { headers: { 'content-type': 'audio/mpeg' } }))
  const other = await startApp({
    providers: { openai: { base_url: speaking.address, keys: { default: 'k' } } },
    prices: { 'openai/tts-heron': { input: 0, output: 0, characters: 15 } },
  })
  const response = await fetch(`${other.address}/v1/home/default/openai/audio/speech`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'tts-heron', voice: 'reed', input: 'In the reeds.' }),
  })
  expect(await response.text()).toBe('sound')
  expect(await other.record(1)).toMatchObject({ model: 'tts-heron', cost: (13 * 15) / 1_000_000 })
  await other.stop()
  speaking.stop()
})
