import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { DialectName } from '../../src/dialects/dialect.ts'
import { slowAnswer, wholeAnswer } from '../support/answers.ts'
import { type RunningApp, startApp } from '../support/app.ts'
import { answerOf, ask, post, streamOf } from '../support/chat.ts'
import { type StandIn, standIn } from '../support/stand-in.ts'

const speakers: Record<string, DialectName> = {
  same: 'openai-chat',
  claude: 'anthropic-messages',
  gem: 'gemini',
  rock: 'bedrock-converse',
  command: 'cohere-chat',
  local: 'ollama-chat',
  worker: 'workers-ai',
}

let app: RunningApp
const standIns: StandIn[] = []

beforeAll(async () => {
  const custom_providers: Record<string, object> = {}
  for (const [name, dialect] of Object.entries(speakers)) {
    // Says back the number that stands in the question, after a time of its own.
    const at = standIn(async ({ text, path, body }) => {
      const number = /question (\d+)\b/.exec(text)?.[1] ?? 'none'
      await Bun.sleep((Number(number) * 7) % 40)
      const said = `This is the answer to ${number}, from ${name}.`
      return body.stream || /stream/i.test(path) ? slowAnswer(dialect, said, 3) : wholeAnswer(dialect, said)
    })
    standIns.push(at)
    custom_providers[name] = { base_url: at.address, dialect, faithful: name === 'same', keys: { default: 'k' } }
  }
  app = await startApp({ custom_providers: custom_providers as never })
})
afterAll(async () => {
  await app.stop()
  for (const at of standIns) at.stop()
})

test('200 requests at once, of every dialect, streamed and not: no answer goes to the wrong question', async () => {
  const names = Object.keys(speakers)
  const asked = Array.from({ length: 200 }, async (_, number) => {
    const name = names[number % names.length]!
    const stream = number % 3 !== 0
    const messages = [{ role: 'user', content: `question ${number}` }]
    const response = await post(app.address, { ...ask(`${name}/m`, { stream }), messages })
    const said = stream ? (await streamOf(response)).text : (await answerOf(response)).choices?.[0]?.message.content
    return said === `This is the answer to ${number}, from ${name}.` ? undefined : { number, name, stream, said }
  })
  expect((await Promise.all(asked)).filter(Boolean)).toEqual([])
  expect(app.requests().filter(line => line.status === 200)).toHaveLength(200)
  expect(app.requests().every(line => line.tokens_in === 11 && line.tokens_out === 7)).toBe(true)
})
