import { describe, expect, test } from 'bun:test'
import { priceOf } from '../../src/costs/prices.ts'

describe('priceOf', () => {
  test('the operator’s own figure, by the million, is given by the token', async () => {
    const prices = { 'openai/gpt-4.1': { input: 3, output: 0 } }
    expect(await priceOf(prices, 'openai/gpt-4.1', 'openai', 'gpt-4.1')).toEqual({ input: 0.000003, output: 0 })
  })

  test('half a figure is none: the list’s is taken', async () => {
    const prices = { 'openai/gpt-4.1': { input: 3 } }
    expect(await priceOf(prices, 'openai/gpt-4.1', 'openai', 'gpt-4.1')).toEqual({ input: 0.000002, output: 0.000008 })
  })

  test('no dust of division', async () => {
    expect(await priceOf({}, 'anthropic/claude-haiku-4-5', 'anthropic', 'claude-haiku-4-5')).toEqual({
      input: 0.000001,
      output: 0.000005,
    })
  })

  test('undefined where nobody knows the model or the provider', async () => {
    expect(await priceOf({}, 'openai/no-such', 'openai', 'no-such-model-anywhere')).toBeUndefined()
    expect(await priceOf({}, 'custom-mine/m', 'custom-mine', 'm')).toBeUndefined()
  })

  test('every built-in provider that has prices is in the list under its name', async () => {
    const known: [string, string][] = [
      ['openai', 'gpt-4.1'],
      ['azure', 'gpt-4.1'],
      ['anthropic', 'claude-sonnet-4-5'],
      ['google', 'gemini-2.5-flash'],
      ['aws', 'amazon.nova-lite-v1:0'],
      ['mistral', 'mistral-large-latest'],
      ['cohere', 'command-r'],
      ['groq', 'llama-3.3-70b-versatile'],
      ['x-ai', 'grok-4'],
      ['deepseek', 'deepseek-chat'],
      ['perplexity', 'sonar'],
    ]
    const missing: string[] = []
    for (const [provider, model] of known)
      if (!(await priceOf({}, '', provider, model))) missing.push(`${provider}/${model}`)
    expect(missing).toEqual([])
  })
})
