import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { wholeAnswer } from '../support/answers.ts'
import { clientGateway, GATEWAY_AUTH, OWN, STORED, TEXT } from './client-gateway.ts'
import { callAnswer, textAnswer } from './provider-answers.ts'

setDefaultTimeout(30_000)

/** Bodies as clients write them that are not installed here: `@cloudflare/tanstack-ai` among them (contract 14.5, 14.6). */

const keys = { default: STORED }
const gateway = clientGateway(
  upstream => ({
    providers: {
      openai: { keys, base_url: `${upstream}/openai/v1` },
      anthropic: { keys, base_url: `${upstream}/anthropic` },
      openrouter: { keys, base_url: `${upstream}/openrouter/api` },
      'google-ai-studio': { keys, base_url: `${upstream}/google` },
      'workers-ai': { keys, base_url: `${upstream}/workers/ai/run` },
    },
    gateways: { open: { authentication: false } },
  }),
  seen => (seen.path.startsWith('/workers/') ? wholeAnswer('workers-ai', TEXT) : textAnswer(TEXT, seen)),
)

const messages = [{ role: 'user', content: 'Where?' }]
const post = (body: unknown, headers: Record<string, string> = GATEWAY_AUTH, id = 'default') =>
  fetch(`${gateway.address()}/v1/home/${id}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
const chat = { provider: 'openai', endpoint: 'chat/completions', query: { model: 'gpt-heron', messages } }

describe('tanstack’s single object', () => {
  // It stands for each placeholder that the SDKs beneath it demand, and repeats the controls outside and inside.
  const headers = { 'content-type': 'application/json', 'cf-aig-skip-cache': 'true', 'cf-aig-cache-ttl': '60' }
  const outer = { ...GATEWAY_AUTH, 'cf-aig-skip-cache': 'true', 'cf-aig-cache-ttl': '60' }

  test.each([
    [
      'openai',
      { ...chat, headers: { ...headers, authorization: 'Bearer unused' } },
      '/openai/v1/chat/completions',
      'authorization',
      `Bearer ${STORED}`,
    ],
    [
      'openai, Responses',
      {
        provider: 'openai',
        endpoint: 'responses',
        headers: { ...headers, authorization: 'Bearer unused' },
        query: { model: 'gpt-heron', input: 'Where?' },
      },
      '/openai/v1/responses',
      'authorization',
      `Bearer ${STORED}`,
    ],
    [
      'anthropic',
      {
        provider: 'anthropic',
        endpoint: 'messages',
        headers: { ...headers, 'x-api-key': 'unused', 'anthropic-version': '2023-06-01' },
        query: { model: 'claude-heron', max_tokens: 64, messages },
      },
      '/anthropic/v1/messages',
      'x-api-key',
      STORED,
    ],
    [
      'openrouter',
      { ...chat, provider: 'openrouter', endpoint: 'api/v1/chat/completions', headers },
      '/openrouter/api/v1/chat/completions',
      'authorization',
      `Bearer ${STORED}`,
    ],
    [
      'workers-ai, whose model stands in the endpoint',
      { provider: 'workers-ai', endpoint: 'run/@cf/meta/llama-heron', headers, query: { messages } },
      '/workers/ai/run/@cf/meta/llama-heron',
      'authorization',
      `Bearer ${STORED}`,
    ],
  ])('%s', async (_, body, path, header, key) => {
    const response = await post(body, outer)
    expect([response.status, response.headers.get('cf-aig-step')]).toEqual([200, '0'])
    expect(await response.text()).toContain('日本の鷺')
    const arrived = gateway.arrived()
    expect(arrived.path).toBe(path)
    expect(arrived.body).toEqual(body.query as Record<string, unknown>)
    expect(arrived.headers.get(header)).toBe(key)
  })

  test('a stream of a call, as the provider says it', async () => {
    const body = {
      provider: 'anthropic',
      endpoint: 'messages',
      headers,
      query: { model: 'claude-heron', max_tokens: 64, messages, stream: true },
    }
    gateway.next(callAnswer)
    const response = await post(body, outer)
    expect(response.headers.get('content-type')).toStartWith('text/event-stream')
    expect(await response.text()).toBe(await callAnswer(gateway.arrived()).text())
  })

  test('a body that was no JSON arrives packed, and is the provider’s affair', async () => {
    expect((await post({ ...chat, headers, query: { _raw: 'heron' } }, outer)).status).toBe(200)
    expect(gateway.arrived().body).toEqual({ _raw: 'heron' })
  })

  test('on an open gateway with the caller’s own key, and no token at all', async () => {
    const body = { ...chat, headers: { ...headers, authorization: `Bearer ${OWN}` } }
    expect((await post(body, {}, 'open')).status).toBe(200)
    expect(gateway.arrived().headers.get('authorization')).toBe(`Bearer ${OWN}`)
  })

  test('Gemini goes to its own address, with the token where Google’s key stands', async () => {
    const { 'cf-aig-authorization': token } = GATEWAY_AUTH
    const url = `${gateway.address()}/v1/home/default/google-ai-studio/v1beta/models/gemini-heron:streamGenerateContent?alt=sse`
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-goog-api-key': token.replace('Bearer ', '') },
      body: JSON.stringify({ contents: [{ role: 'user', parts: [{ text: 'Where?' }] }] }),
    })
    expect(response.status).toBe(200)
    expect(gateway.arrived().headers.get('x-goog-api-key')).toBe(STORED)
  })
})

describe('headers of a step', () => {
  test.each([
    ['none', undefined],
    ['an empty object, which an instance of Headers becomes in JSON', {}],
  ])('%s', async (_, headers) => {
    expect((await post([{ ...chat, headers }])).status).toBe(200)
    const arrived = gateway.arrived()
    expect(arrived.headers.get('content-type')).toBe('application/json')
    expect(arrived.headers.get('authorization')).toBe(`Bearer ${STORED}`)
  })

  test('values that are no strings', async () => {
    const headers = { 'x-number': 7, 'x-truth': true, 'cf-aig-metadata': { team: 'herons' }, 'x-nothing': null }
    expect((await post([{ ...chat, headers }])).status).toBe(200)
    const arrived = gateway.arrived()
    expect(arrived.headers.toJSON()).toMatchObject({ 'x-number': '7', 'x-truth': 'true' })
    expect(arrived.headers.has('x-nothing')).toBe(false)
  })

  test('the old names of the controls, outside and inside', async () => {
    const old = { 'cf-skip-cache': 'true', 'cf-cache-ttl': '60' }
    expect((await post([{ ...chat, headers: old }], { ...GATEWAY_AUTH, ...old })).status).toBe(200)
    expect(gateway.arrived().body).toEqual(chat.query)
  })
})

test('two errors that clients tell apart by their number', async () => {
  const wrong = await post([chat], { 'cf-aig-authorization': 'Bearer undefined' })
  expect([wrong.status, await wrong.json()]).toMatchObject([401, { success: false, error: [{ code: 2009 }] }])
  const nowhere = await post([chat], GATEWAY_AUTH, 'nowhere')
  expect([nowhere.status, await nowhere.json()]).toMatchObject([400, { success: false, error: [{ code: 2001 }] }])
})
