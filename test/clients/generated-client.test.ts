import { afterAll, beforeAll, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { routes } from '../../src/http/documentation.ts'
import type { ChatCompletion } from '../../src/schemas/chat-reply.ts'
import { explainBody, isChatRequest } from '../../src/schemas/explain.ts'
import { type RunningApp, startApp, TOKEN } from '../support/app.ts'
import { type StandIn, standIn } from '../support/stand-in.ts'
import { checkClient, folder, generateClient } from './generated-client.ts'

const usage = { prompt_tokens: 4, completion_tokens: 3, total_tokens: 7 }
const reply: ChatCompletion = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1_760_000_000,
  model: 'echo',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Grüße 👋 there' }, finish_reason: 'stop' }],
  usage,
}

const failure = (status: number, message: string) =>
  Response.json({ error: { message, type: 'invalid_request_error', param: null, code: null } }, { status })

/** A stand-in with the documented routes: what is tested is the client that the document makes. */
async function complete({ request }: { request: Request }): Promise<Response> {
  if (request.headers.get('authorization') !== 'Bearer let-me-in') return failure(401, 'Unauthorized')
  const body: unknown = await request.json()
  if (!isChatRequest(body)) return failure(400, explainBody(body)!.message)
  if (!body.stream) return Response.json(reply)
  const head = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1_760_000_000, model: 'echo' }
  const chunks = [
    {
      ...head,
      choices: [{ index: 0, delta: { role: 'assistant', content: 'Grüße ' }, finish_reason: null }],
      usage: null,
    },
    { ...head, choices: [{ index: 0, delta: { content: '👋 there' }, finish_reason: null }], usage: null },
    { ...head, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage: null },
    { ...head, choices: [], usage },
  ]
  const events = [...chunks.map(chunk => JSON.stringify(chunk)), '[DONE]'].map(data => `data: ${data}\n\n`)
  return new Response(events.join(''), { headers: { 'content-type': 'text/event-stream' } })
}

const app = new Elysia()
  .post(routes.createChatCompletion.path, complete, { parse: 'none' })
  .post(routes.createGatewayChatCompletion.path, complete, { parse: 'none' })
  .get(routes.listModels.path, () => ({
    object: 'list',
    data: [{ id: 'test/echo', object: 'model', created: 0, owned_by: 'test' }],
  }))
  .get(routes.getHealth.path, () => ({ status: 'ok' }))
  .get(routes.getReadiness.path, () => ({ status: 'ready' }))

interface Consumer {
  run(baseUrl: string, token: string): Promise<Record<string, unknown>>
  runSurfaces(baseUrl: string, token: string): Promise<Record<string, unknown>>
}

/** Behind the real gateway: it says what it was asked, so that an answer tells where it came from. */
let provider: StandIn
let gateway: RunningApp

beforeAll(async () => {
  app.listen({ port: 0, hostname: '127.0.0.1' })
  await generateClient()
  provider = standIn(({ path }) => {
    if (path.endsWith('/embeddings'))
      return Response.json({ object: 'list', model: 'e', data: [{ object: 'embedding', index: 0, embedding: [0.5] }] })
    if (path.endsWith('/chat/completions')) return Response.json(reply)
    return Response.json(
      decodeURIComponent(path).includes('@cf') ? { result: {}, success: true, errors: [], messages: [] } : { path },
    )
  })
  const reach = { base_url: provider.address, keys: { default: 'key-of-the-operator-4711' } }
  gateway = await startApp({
    providers: {
      openai: reach,
      'workers-ai': { ...reach, account: 'acc' },
      mistral: { ...reach, base_url: 'http://127.0.0.1:1' },
    },
  })
}, 60_000)
afterAll(async () => {
  await app.stop(true)
  await gateway.stop()
  provider.stop()
})

test('a client generated from the document, and a program that uses it, compile strictly', async () => {
  expect(await checkClient()).toBe('')
}, 60_000)

test('the generated client makes a call, reads a stream and understands errors', async () => {
  const { run } = (await import(`${folder}/consumer.ts`)) as Consumer
  expect(await run(app.server!.url.origin, 'let-me-in')).toEqual({
    text: 'Grüße 👋 there',
    finish: 'stop',
    named: 'echo',
    streamed: 'Grüße 👋 there',
    tokens: 7,
    refused: 401,
    reason: 'Unauthorized',
    invalid: 'model: expected "<provider>/<model>"',
    models: ['test/echo'],
    health: 'ok',
    ready: 'ready',
  })
})

test('it runs steps and models, and reaches providers, through the gateway itself', async () => {
  const { runSurfaces } = (await import(`${folder}/consumer.ts`)) as Consumer
  expect(await runSurfaces(gateway.address, TOKEN)).toEqual({
    steps: reply,
    step: '1',
    noStep: 2008,
    success: true,
    ran: reply,
    named: true,
    refused: 10_000,
    vector: [0.5],
    native: { path: '/responses' },
    models: { path: '/models?after=x%20y&api-version=1' },
    long: 200,
    logged: 5,
  })
})
