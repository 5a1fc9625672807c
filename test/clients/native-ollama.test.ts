import { expect, setDefaultTimeout, test } from 'bun:test'
import { Ollama } from 'ollama'
import { streamedAnswer, wholeAnswer } from '../support/answers.ts'
import { nativeGateway, TEXT, TOKEN } from './native-gateway.ts'

setDefaultTimeout(30_000)

/** `ollama` at `/ollama`, which needs no key: the token is shown all the same, and nothing takes its place. */

const gateway = nativeGateway(
  'ollama',
  upstream => ({ base_url: upstream, keys: {} }),
  ({ path, body }) => {
    if (path === '/api/tags') return Response.json({ models: [{ name: 'heron:latest' }] })
    return body.stream ? streamedAnswer('ollama-chat', TEXT) : wholeAnswer('ollama-chat', TEXT)
  },
)
const client = (headers: Record<string, string> = { authorization: `Bearer ${TOKEN}` }) =>
  new Ollama({ host: gateway.base(), headers })
const question = { model: 'heron', messages: [{ role: 'user', content: 'Where?' }] }

test('chat', async () => {
  const answer = await client().chat(question)
  expect(answer.message.content).toBe(TEXT)
  expect([answer.prompt_eval_count, answer.eval_count]).toEqual([11, 7])
  const { path, body, headers } = gateway.arrived()
  expect(path).toBe('/api/chat')
  expect(body).toMatchObject(question)
  expect(headers.get('authorization')).toBeNull()
})

test('chat with stream', async () => {
  let text = ''
  let isDone = false
  for await (const part of await client().chat({ ...question, stream: true })) {
    text += part.message.content
    isDone ||= part.done
  }
  expect({ text, isDone }).toEqual({ text: TEXT, isDone: true })
})

test('list', async () => {
  const { models } = await client({ 'cf-aig-authorization': TOKEN }).list()
  expect(models).toMatchObject([{ name: 'heron:latest' }])
  expect(gateway.arrived()).toMatchObject({ method: 'GET', path: '/api/tags' })
})
