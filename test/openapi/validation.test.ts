import { expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { routes } from '../../src/http/documentation.ts'
import { buildDocument } from '../../src/http/openapi.ts'
import { ChatCompletionRequest } from '../../src/schemas/chat-request.ts'
import { explainBody } from '../../src/schemas/explain.ts'

const { path, detail } = routes.createChatCompletion

const app = new Elysia()
  .onError(({ code, error, status }) => {
    if (code === 'VALIDATION') return status(400, explainBody(error.value))
  })
  .post(path, ({ body }) => body, { body: ChatCompletionRequest, detail })

const post = (body: unknown) =>
  app.handle(
    new Request(`http://localhost${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  )

test('Elysia keeps unknown members at every depth of a body that it validated', async () => {
  const body = {
    model: 'a/b',
    unknown: { deep: [1, { x: null }] },
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'x', unknown: 1 },
          { type: 'image_url', image_url: { url: 'u', unknown: 2 }, unknown: 3 },
        ],
      },
      {
        role: 'assistant',
        unknown: 4,
        tool_calls: [{ id: 'c', type: 'function', unknown: 5, function: { name: 'f', arguments: '', unknown: 6 } }],
      },
      { role: 'tool', tool_call_id: 'c', content: 'y', unknown: 7 },
    ],
    tools: [
      {
        type: 'function',
        unknown: 8,
        function: { name: 'f', unknown: 9, parameters: { type: 'object', unknown: 10 } },
      },
    ],
    response_format: { type: 'json_schema', unknown: 11, json_schema: { name: 'n', unknown: 12 } },
    stream_options: { include_usage: true, unknown: 13 },
    stop: null,
  }
  const response = await post(body)
  expect(response.status).toBe(200)
  expect(await response.json()).toEqual(body)
})

test('a body that Elysia refuses can be explained without its values', async () => {
  const response = await post({
    model: 'a/b',
    messages: [{ role: 'user', content: [{ type: 'text', text: ['swordfish'] }] }],
  })
  expect(response.status).toBe(400)
  expect(await response.json()).toEqual({
    path: 'messages[0].content[0].text',
    message: 'messages[0].content[0].text: expected a string',
  })
})

test('a route that validates with the schema is documented like one that reads the body itself', async () => {
  const plain = new Elysia().post(path, () => 'x', { parse: 'none', detail })
  expect(await buildDocument(app)).toEqual(await buildDocument(plain))
})
