import { describe, expect, test } from 'bun:test'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { JsonObject } from '../../src/conversation/conversation.ts'
import { Unsupported } from '../../src/conversation/errors.ts'
import type { DialectName } from '../../src/dialects/dialect.ts'
import { dialects } from '../../src/dialects/index.ts'
import { openaiChat } from '../../src/dialects/openai-chat/index.ts'

/**
 * Chat requests as each dialect writes them for some of its models, with what it had to drop, held against files that a
 * person has read. `UPDATE_GOLDEN=1` writes them anew.
 */
const MODELS: Record<DialectName, readonly string[]> = {
  'openai-chat': ['gpt-5-mini'],
  'anthropic-messages': ['claude-sonnet-4-5-20250929', 'claude-opus-4-6'],
  gemini: ['gemini-2.5-flash', 'gemini-3-pro-preview'],
  'bedrock-converse': [
    'anthropic.claude-sonnet-4-5-20250929-v1:0',
    'amazon.nova-pro-v1:0',
    'mistral.mistral-large-2407-v1:0',
  ],
  'cohere-chat': ['command-a-03-2025'],
  'ollama-chat': ['qwen3:8b'],
  'workers-ai': ['@cf/meta/llama-3.3-70b-instruct-fp8-fast'],
}

const requests = `${import.meta.dir}/../fixtures/requests/`
const golden = `${import.meta.dir}/../golden/`
const names = readdirSync(requests).map(file => file.replace(/\.json$/, ''))
const rows = names.flatMap(name => Object.values(dialects).map(dialect => [name, dialect] as const))

/** The body that goes upstream as text, since its order counts too, and what is said beside it. */
function write(dialect: (typeof rows)[number][1], request: JsonObject, model: string): JsonObject {
  try {
    const { body, dropped, headers, memory } = dialect.writeRequest(openaiChat.readRequest(request), { model })
    const { toolNames, ...rest } = memory
    const undo = { ...rest, ...(toolNames && { toolNames: Object.fromEntries(toolNames) }) }
    return {
      ...(dropped.length && { dropped }),
      ...(headers && { headers }),
      ...(Object.keys(undo).length && { undo }),
      body,
    }
  } catch (fault) {
    if (!(fault instanceof Unsupported)) throw fault
    return { refused: fault.field, because: fault.message }
  }
}

describe.each(rows)('%s', (name, dialect) => {
  test(`for ${dialect.name}`, () => {
    const request = JSON.parse(readFileSync(`${requests}${name}.json`, 'utf8')) as JsonObject
    const before = JSON.stringify(request)
    const all = () => Object.fromEntries(MODELS[dialect.name].map(model => [model, write(dialect, request, model)]))
    const text = `${JSON.stringify(all(), null, 2)}\n`
    // T85: the same request makes the same bytes; T84: and stays as it was.
    expect(`${JSON.stringify(all(), null, 2)}\n`).toBe(text)
    expect(JSON.stringify(request)).toBe(before)
    const path = `${golden}${dialect.name}/${name}.request.json`
    if (process.env.UPDATE_GOLDEN) writeFileSync(path, text)
    expect(text).toBe(readFileSync(path, 'utf8'))
  })
})

test('no golden request is left without its fixture', () => {
  const left = readdirSync(golden, { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.request.json'))
    .filter(path => !names.some(name => path.endsWith(`/${name}.request.json`)))
  expect(left).toEqual([])
})
