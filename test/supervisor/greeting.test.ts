import { expect, test } from 'bun:test'
import { loadConfig } from '../../src/config/load.ts'
import { findOllama, findOllamaModel, greeting } from '../../src/supervisor/greeting.ts'

const configWith = (env: Record<string, string>) => loadConfig({ env, folder: '/nonexistent' }).config

test('a greeting names providers with keys, a model of one of them, and never a key', () => {
  const config = configWith({ ANTHROPIC_API_KEY: 'sk-ant-hidden' })
  const text = greeting({ config, token: 'pst_made', isNew: true, demo: false })
  expect(text).toContain('keys for anthropic')
  expect(text).toContain('"model":"anthropic/')
  expect(text).toContain('shown only this once')
  expect(text).toContain('http://127.0.0.1:8787/docs')
  expect(text).not.toContain('hidden')
  expect(text).not.toContain('postern demo')
})

test('a greeting with nothing to ask offers the demo; one with an Ollama does not', () => {
  const config = configWith({})
  expect(greeting({ config, isNew: false, demo: false })).toContain('postern demo')
  expect(greeting({ config, isNew: false, demo: false, ollama: '0.9' })).not.toContain('postern demo')
})

test('a key of the store counts like one of the file', () => {
  const text = greeting({ config: configWith({}), isNew: false, demo: false, stored: ['openai', 'openai'] })
  expect(text).toContain('keys for openai\n')
  expect(text).toContain('"model":"openai/')
  expect(text).not.toContain('No provider has a key')
  expect(text).toContain('Put your token into POSTERN_TOKEN')
})

test('an Ollama is found by its version, and nothing else is taken for one', async () => {
  const server = Bun.serve({
    port: 0,
    fetch: request =>
      new URL(request.url).pathname === '/api/version'
        ? Response.json({ version: '0.9.1' })
        : new Response('no', { status: 404 }),
  })
  const other = Bun.serve({ port: 0, fetch: () => new Response('<html>') })
  expect(await findOllama(`http://127.0.0.1:${server.port}`)).toBe('0.9.1')
  expect(await findOllama(`http://127.0.0.1:${other.port}`)).toBeUndefined()
  server.stop(true)
  other.stop(true)
  expect(await findOllama(`http://127.0.0.1:${server.port}`)).toBeUndefined()
})

test('a model of the Ollama that can chat is named, and nothing that a shell would take for more', async () => {
  const named = async (...models: unknown[]) => {
    const server = Bun.serve({ port: 0, fetch: () => Response.json({ models }) })
    const model = await findOllamaModel(`http://127.0.0.1:${server.port}`)
    server.stop(true)
    return model
  }
  expect(await named({ name: 'nomic-embed-text:latest' }, { name: 'qwen3:8b' })).toBe('qwen3:8b')
  expect(await named({ name: "x'; rm -rf ~ #" }, {})).toBeUndefined()
  expect(await named()).toBeUndefined()
  const config = configWith({})
  const facts = { config, isNew: false, demo: false, ollama: '0.9' }
  expect(greeting({ ...facts, ollamaModel: 'qwen3:8b' })).toContain('"model":"ollama/qwen3:8b"')
  expect(greeting(facts)).toContain('"model":"ollama/<model>"')
})
