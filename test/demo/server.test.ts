import { afterAll, describe, expect, test } from 'bun:test'
import { serveDemo } from '../../src/demo/server.ts'

const demo = serveDemo()
afterAll(() => demo.stop())

const ask = (body: unknown) =>
  fetch(`http://127.0.0.1:${demo.port}/v1/chat/completions`, { method: 'POST', body: JSON.stringify(body) })

const user = (content: unknown) => [{ role: 'user', content }]

interface Chunk {
  choices: {
    delta: { content?: string; tool_calls?: { id?: string; function: { name?: string; arguments: string } }[] }
    finish_reason: string | null
  }[]
  usage?: { total_tokens: number } | null
  error?: { message: string }
}

async function stream(body: object): Promise<{ chunks: Chunk[]; done: boolean; took: number }> {
  const begun = performance.now()
  const text = await (await ask({ ...body, stream: true })).text()
  const lines = text
    .split('\n\n')
    .filter(Boolean)
    .map(line => line.replace(/^data: /, ''))
  const chunks = lines.filter(line => line !== '[DONE]').map(line => JSON.parse(line) as Chunk)
  return { chunks, done: lines.at(-1) === '[DONE]', took: performance.now() - begun }
}

const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    parameters: {
      type: 'object',
      properties: {
        city: { type: 'string' },
        unit: { enum: ['celsius', 'kelvin'] },
        days: { type: 'integer', minimum: 3 },
        note: { type: 'string' },
      },
      required: ['city', 'unit', 'days'],
    },
  },
}

describe('the demo provider', () => {
  test('lists its models', async () => {
    const list = (await (await fetch(`http://127.0.0.1:${demo.port}/v1/models`)).json()) as { data: { id: string }[] }
    expect(list.data.map(({ id }) => id)).toContain('story')
  })

  test('says the same to the same question, with usage', async () => {
    const body = { model: 'echo', messages: user([{ type: 'text', text: 'Good morning.' }]) }
    const [one, two] = (await Promise.all([ask(body), ask(body)].map(async answer => (await answer).json()))) as {
      id: string
      choices: { message: { content: string }; finish_reason: string }[]
      usage: { total_tokens: number; prompt_tokens: number; completion_tokens: number }
    }[]
    expect(one?.choices[0]).toMatchObject({ message: { content: 'You said: Good morning.' }, finish_reason: 'stop' })
    expect(two?.id).toBe(one?.id ?? '')
    expect(one?.usage.total_tokens).toBe((one?.usage.prompt_tokens ?? 0) + (one?.usage.completion_tokens ?? 0))
  })

  test('streams the same words one by one at a pace for people, with usage where it is asked for', async () => {
    const body = { model: 'echo', messages: user('one two three four five six') }
    const { chunks, done, took } = await stream({ ...body, stream_options: { include_usage: true } })
    expect(done).toBe(true)
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe(
      'You said: one two three four five six',
    )
    expect(chunks.flatMap(({ choices }) => choices[0]?.finish_reason ?? [])).toEqual(['stop'])
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: expect.any(Number) } })
    expect(took).toBeGreaterThan(8 * 35)
    const without = await stream({ ...body, messages: user('x') })
    expect(without.chunks.every(chunk => !('usage' in chunk))).toBe(true)
  })

  test('calls the first tool when the words ask for it, with arguments that fit its schema', async () => {
    const body = { model: 'echo', tools: [weather], messages: user('What is the weather in Lisbon?') }
    const { choices } = (await (await ask(body)).json()) as {
      choices: { finish_reason: string; message: { tool_calls: { function: { name: string; arguments: string } }[] } }[]
    }
    expect(choices[0]?.finish_reason).toBe('tool_calls')
    const call = choices[0]?.message.tool_calls[0]?.function
    expect(call?.name).toBe('get_weather')
    expect(JSON.parse(call?.arguments ?? '')).toEqual({ city: 'Lisbon', unit: 'celsius', days: 3 })

    const { chunks } = await stream(body)
    const pieces = chunks.flatMap(chunk => chunk.choices[0]?.delta.tool_calls ?? [])
    expect(pieces[0]?.id).toStartWith('call_')
    expect(pieces.map(piece => piece.function.arguments).join('')).toBe(call?.arguments ?? 'none')
    expect(pieces.length).toBeGreaterThan(2)
  })

  test('answers in words where no tool is asked for, where none may be used, and after its result', async () => {
    const plain = async (body: object) => {
      const answer = (await (await ask({ model: 'echo', tools: [weather], ...body })).json()) as {
        choices: { finish_reason: string }[]
      }
      return answer.choices[0]?.finish_reason
    }
    expect(await plain({ messages: user('Good morning.') })).toBe('stop')
    expect(await plain({ messages: user('Use the tool'), tool_choice: 'none' })).toBe('stop')
    expect(await plain({ messages: [...user('Use the tool'), { role: 'tool', content: '{}' }] })).toBe('stop')
    expect(await plain({ messages: user('Good morning.'), tool_choice: 'required' })).toBe('tool_calls')
  })

  test('fails as the names of its models say', async () => {
    const limited = await ask({ model: 'fail-429', messages: user('x') })
    expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '1'])
    expect((await ask({ model: 'fail-500', messages: user('x') })).status).toBe(500)
    expect((await ask({ model: 'no-such', messages: user('x') })).status).toBe(404)
    const { chunks, done } = await stream({ model: 'fail-midstream', messages: user('x') })
    expect(done).toBe(false)
    expect(chunks).toHaveLength(6)
    expect(chunks.at(-1)?.error?.message).toBeString()
  })

  test('what is no request is refused, and so is another address', async () => {
    const answer = await fetch(`http://127.0.0.1:${demo.port}/v1/chat/completions`, { method: 'POST', body: '{' })
    expect(answer.status).toBe(400)
    expect((await fetch(`http://127.0.0.1:${demo.port}/v1/other`)).status).toBe(404)
  })
})
