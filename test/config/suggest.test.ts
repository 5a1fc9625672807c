import { describe, expect, test } from 'bun:test'
import { either, hint, nearest } from '../../src/config/suggest.ts'

const providers = ['openai', 'anthropic', 'google-ai-studio', 'google-vertex-ai', 'groq', 'grok', 'mistral', 'ollama']

describe('the nearest word', () => {
  test.each([
    ['opnai', 'openai'],
    ['OpenAI', 'openai'],
    ['antropic', 'anthropic'],
    ['mitsral', 'mistral'],
    ['google', 'google-ai-studio'],
    ['google_vertex_ai', 'google-vertex-ai'],
    ['olama', 'ollama'],
  ])('%s → %s', (word, expected) => {
    expect(nearest(word, providers)).toBe(expected)
  })

  test.each(['workstation', 'x', '', '-'])('nothing is near %p', word => {
    expect(nearest(word, providers)).toBeUndefined()
  })

  test('of two the nearer', () => {
    expect(nearest('grog', ['grok', 'groq', 'grog-1'])).toBe('grok')
    expect(nearest('groqq', ['grok', 'groq'])).toBe('groq')
  })
})

test('hints and lists read as sentences', () => {
  expect(hint('prot', ['host', 'port'])).toBe('; did you mean "port"?')
  expect(hint('zebra', ['host', 'port'])).toBe('')
  expect(either(['a'])).toBe('a')
  expect(either(['a', 'b', 'c'])).toBe('a, b or c')
})
