import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { streamedAnswer, streamPieces, wholeAnswer } from '../support/answers.ts'
import { type RunningApp, startApp } from '../support/app.ts'
import { answerOf, ask, post } from '../support/chat.ts'
import { type StandIn, standIn } from '../support/stand-in.ts'

/** What goes through the gateway unchanged, what is corrected and said so, and which headers pass in either direction. */

let provider: StandIn
let app: RunningApp
let headers: Record<string, string> = {}

beforeAll(async () => {
  provider = standIn(({ body }) => {
    const answer = body.stream ? streamedAnswer('openai-chat', 'Yes.') : wholeAnswer('openai-chat', 'Yes.')
    for (const [name, value] of Object.entries(headers)) answer.headers.append(name, value)
    return answer
  })
  const keys = { default: 'the-key-of-the-operator' }
  const like = (base_url: string) => ({ base_url, keys })
  app = await startApp({
    providers: {
      openai: { ...like(provider.address), headers: { 'X-Team': 'herons', 'openai-project': 'ours' } },
      openrouter: like(provider.address),
      fireworks: like(provider.address),
      mistral: like(provider.address),
      groq: like(provider.address),
      cerebras: like(provider.address),
      deepseek: like(provider.address),
    },
  })
})
afterAll(async () => {
  await app.stop()
  provider.stop()
})

describe('the same dialect on both sides', () => {
  test('T85 T86 the client’s text goes on byte for byte, apart from the model', async () => {
    const text =
      '{ "messages" : [ {"role":"user","content":"caf\\u00e9 \\ud83e\\udeb6"} ],\n  "model":"openai/gpt-4.1", "temperature":1.0, "seed":12345678901234567890, "frequency_penalty":0, "x_unknown":{"b":1,"a":[ ]}, "messages_note":"model" }'
    expect((await post(app.address, text)).status).toBe(200)
    expect(provider.last().text).toBe(text.replace('"openai/gpt-4.1"', '"gpt-4.1"'))
    await post(app.address, text)
    expect(provider.seen.at(-2)!.text).toBe(provider.last().text)
  })

  test('an escaped name or a second model does not get past', async () => {
    const text = '{"model":"openai/a","messages":[{"role":"user","content":"x"}],"mod\\u0065l":"openai/b"}'
    expect((await post(app.address, text)).status).toBe(200)
    expect(provider.last().text).toBe(text.replace('openai/a', 'b').replace('openai/b', 'b'))
  })

  test('the provider’s bytes come back, whole and streamed', async () => {
    const whole = await (await post(app.address, ask('openai/m'))).text()
    expect(whole).toBe(await wholeAnswer('openai-chat', 'Yes.').text())
    const stream = await post(app.address, ask('openai/m', { stream: true }))
    expect(stream.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(stream.headers.get('cache-control')).toBe('no-cache')
    expect(stream.headers.get('x-accel-buffering')).toBe('no')
    expect(await stream.text()).toBe(streamPieces('openai-chat', 'Yes.').join(''))
  })

  test('usage is on record for both', async () => {
    const before = app.requests().length
    await (await post(app.address, ask('openai/m'))).text()
    expect(await app.record(before + 1)).toMatchObject({ tokens_in: 11, tokens_out: 7, status: 200, token: 'tests' })
    await (await post(app.address, ask('openai/m', { stream: true }))).text()
    expect(await app.record(before + 2)).toMatchObject({ tokens_in: 11, tokens_out: 7, stream: true })
  })
})

describe('requests that are corrected for a provider', () => {
  const asked = async (slug: string, more: object) => {
    const response = await post(app.address, ask(`${slug}/m`, { ...more }))
    expect(response.status).toBe(200)
    return { body: provider.last().body, dropped: response.headers.get('postern-dropped') }
  }

  test('Mistral: renamed fields, fields left out by name, nine-character ids (T76), no empty turns (T74)', async () => {
    const { body, dropped } = await asked('mistral', {
      max_completion_tokens: 5,
      seed: 0,
      logprobs: true,
      user: 'me',
      store: null,
      tools: [],
      tool_choice: 'auto',
      messages: [
        { role: 'developer', content: 'Be brief.' },
        { role: 'user', content: 'Look.' },
        { role: 'assistant', content: '' },
        {
          role: 'assistant',
          content: null,
          reasoning_content: 'Hm.',
          tool_calls: [{ id: 'call_0123456789abcdef', type: 'function', function: { name: 'look', arguments: '{}' } }],
        },
        { role: 'tool', tool_call_id: 'call_0123456789abcdef', content: 'reeds' },
      ],
    })
    expect(body).toMatchObject({ model: 'm', max_tokens: 5, random_seed: 0 })
    for (const name of ['max_completion_tokens', 'seed', 'logprobs', 'user', 'store', 'tools', 'tool_choice'])
      expect(body).not.toHaveProperty(name)
    const messages = body.messages as { role: string; tool_call_id?: string; tool_calls?: { id: string }[] }[]
    expect(messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'tool'])
    expect(messages[2]?.tool_calls?.[0]?.id).toMatch(/^[a-zA-Z0-9]{9}$/)
    expect(messages[3]?.tool_call_id).toBe(messages[2]?.tool_calls?.[0]?.id ?? 'none')
    expect(messages[2]).not.toHaveProperty('reasoning_content')
    expect(dropped?.split(', ').sort()).toEqual(['logprobs', 'messages[].reasoning_content', 'user'])
  })

  test('Groq: what it refuses is left out and named', async () => {
    const { body, dropped } = await asked('groq', {
      logit_bias: { '1': 2 },
      metadata: { a: 'b' },
      messages: [{ role: 'user', name: 'ann', content: 'x' }],
    })
    expect(body).not.toHaveProperty('logit_bias')
    expect(body.messages).toEqual([{ role: 'user', content: 'x' }])
    expect(dropped).toBe('logit_bias, metadata, messages[].name')
  })

  test('Cerebras: the cap has its new name, penalties are left out and named', async () => {
    const { body, dropped } = await asked('cerebras', { max_tokens: 0, frequency_penalty: 0, presence_penalty: null })
    expect(body.max_completion_tokens).toBe(0)
    expect(body).not.toHaveProperty('max_tokens')
    expect(body).not.toHaveProperty('presence_penalty')
    expect(dropped).toBe('frequency_penalty')
  })

  test('OpenAI: the cap of reasoning models has its new name, that of others stays', async () => {
    await post(app.address, ask('openai/gpt-5-mini', { max_tokens: 7 }))
    expect(provider.last().body).toMatchObject({ model: 'gpt-5-mini', max_completion_tokens: 7 })
    await post(app.address, ask('openai/gpt-4.1', { max_tokens: 7 }))
    expect(provider.last().body).toMatchObject({ model: 'gpt-4.1', max_tokens: 7 })
  })

  test('T75 DeepSeek gets earlier reasoning back', async () => {
    const messages = [
      { role: 'user', content: 'x' },
      { role: 'assistant', content: 'y', reasoning_content: 'Hm.' },
      { role: 'user', content: 'z' },
    ]
    expect((await asked('deepseek', { messages })).body.messages).toEqual(messages)
  })

  test('nothing is said to be dropped where nothing was', async () => {
    expect((await asked('mistral', {})).dropped).toBeNull()
  })
})

describe('headers', () => {
  test('of the client: only those that mean something to the provider go on', async () => {
    const client = {
      'openai-organization': 'org-1',
      'openai-beta': 'assistants=v2',
      'x-title': 'Herons',
      'http-referer': 'https://herons.example',
      'x-session-affinity': 'abc',
      cookie: 'session=1',
      'x-forwarded-for': '10.0.0.1',
      'cf-aig-metadata': '{"team":"x"}',
      'user-agent': 'heron/1',
    }
    await post(app.address, ask('openai/m'), { headers: client })
    const openai = provider.last().headers
    expect(openai.get('openai-organization')).toBe('org-1')
    expect(openai.get('openai-beta')).toBe('assistants=v2')
    for (const name of [
      'x-title',
      'http-referer',
      'cookie',
      'x-forwarded-for',
      'x-session-affinity',
      'cf-aig-metadata',
    ])
      expect(openai.get(name)).toBeNull()
    await post(app.address, ask('openrouter/m'), { headers: client })
    expect(provider.last().headers.get('x-title')).toBe('Herons')
    expect(provider.last().headers.get('openai-organization')).toBeNull()
    await post(app.address, ask('fireworks/m'), { headers: client })
    expect(provider.last().headers.get('x-session-affinity')).toBe('abc')
  })

  test('of the operator: added, and before the client’s', async () => {
    await post(app.address, ask('openai/m'), { headers: { 'openai-project': 'theirs' } })
    expect(provider.last().headers.get('x-team')).toBe('herons')
    expect(provider.last().headers.get('openai-project')).toBe('ours')
    expect(provider.last().headers.get('authorization')).toBe('Bearer the-key-of-the-operator')
  })

  test.each([false, true])(
    'of the provider: limits and ids come back, its own affairs do not; stream %p',
    async stream => {
      headers = {
        'x-ratelimit-remaining-tokens': '149984',
        'x-request-id': 'req_heron',
        'openai-processing-ms': '12',
        'cf-ray': '8f-FRA',
        'retry-after': '1',
        'set-cookie': '__cf_bm=secret; path=/',
        'strict-transport-security': 'max-age=1',
        'alt-svc': 'h3=":443"',
        'access-control-allow-origin': '*',
        connection: 'keep-alive, x-hop',
        'x-hop': 'one',
        server: 'cloudflare',
        vary: 'origin',
      }
      for (const slug of ['openai', 'mistral']) {
        const response = await post(app.address, ask(`${slug}/m`, { stream }))
        await response.text()
        expect(response.status).toBe(200)
        for (const name of [
          'x-ratelimit-remaining-tokens',
          'x-request-id',
          'openai-processing-ms',
          'cf-ray',
          'retry-after',
        ])
          expect(response.headers.get(name)).toBe(headers[name]!)
        for (const name of [
          'set-cookie',
          'strict-transport-security',
          'alt-svc',
          'access-control-allow-origin',
          'x-hop',
          'server',
          'vary',
        ])
          expect(response.headers.get(name)).toBeNull()
      }
      headers = {}
    },
  )

  test('the operator’s key is not quoted to the client, the client’s own is', async () => {
    const parrot = standIn(({ headers }) =>
      Response.json({ error: { message: `Incorrect API key: ${headers.get('authorization')}` } }, { status: 401 }),
    )
    const other = await startApp({
      providers: { openai: { base_url: parrot.address, keys: { default: 'the-key-of-the-operator' } } },
    })
    const answer = await (await post(other.address, ask('openai/m'))).text()
    expect(answer).toContain('Incorrect API key: Bearer ***')
    const own = await post(other.address, ask('openai/m'), { headers: { authorization: 'Bearer a-key-of-mine' } })
    expect((await answerOf(own)).error?.message).toContain('a-key-of-mine')
    expect(other.logged()).not.toContain('-key-of-')
    await other.stop()
    parrot.stop()
  })
})
