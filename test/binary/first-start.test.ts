import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { streamedAnswer, wholeAnswer } from '../support/answers.ts'
import { type Answer, parseStream } from '../support/chat.ts'
import { standIn } from '../support/stand-in.ts'
import { endAll, folder, type Running, start } from './executable.ts'

afterEach(endAll)
setDefaultTimeout(30_000)

/** The two commands of the greeting, as they are printed, line breaks and all, run by the shell that people have. */
async function runPrinted(server: Running): Promise<{ whole: Answer; stream: string }> {
  const [, whole = '', stream = ''] = await server.until(/Try it:\n\n([\s\S]+?)\n\nAnd as a stream:\n\n([\s\S]+?\}')\n/)
  const [first, second] = await Promise.all(
    [whole, stream].map(async command => {
      const child = Bun.spawn(['bash', '-c', command], { stdout: 'pipe', stderr: 'ignore' })
      const text = await new Response(child.stdout).text()
      expect(await child.exited).toBe(0)
      return text
    }),
  )
  return { whole: JSON.parse(first ?? '') as Answer, stream: second ?? '' }
}

describe('the lines that a first start prints, exactly as printed', () => {
  test('of the demo', async () => {
    const here = folder()
    const server = await start(['demo'], here.path)
    const { whole, stream } = await runPrinted(server)
    const streamed = parseStream(stream)
    expect(streamed).toMatchObject({ done: true, finish: 'stop' })
    expect(streamed.text.length).toBeGreaterThan(50)
    expect(whole.choices?.[0]?.message.content).toBe(streamed.text)
    here.remove()
  })

  test('without a file, with an Ollama on this machine', async () => {
    const ollama = standIn(({ path, body }) => {
      if (path === '/api/version') return Response.json({ version: '0.12.0' })
      if (path === '/api/tags') return Response.json({ models: [{ name: 'qwen3:8b' }] })
      return body.stream ? streamedAnswer('ollama-chat', 'Hello.') : wholeAnswer('ollama-chat', 'Hello.')
    })
    const here = folder()
    const server = await start([], here.path, { OLLAMA_HOST: ollama.address })
    const { whole, stream } = await runPrinted(server)
    expect(whole.choices?.[0]?.message.content).toBe('Hello.')
    expect(parseStream(stream)).toMatchObject({ text: 'Hello.', done: true })
    expect(ollama.last().body.model).toBe('qwen3:8b')
    ollama.stop()
    here.remove()
  })
})
