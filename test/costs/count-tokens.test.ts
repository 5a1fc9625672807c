import { describe, expect, test } from 'bun:test'
import { countTokens } from '../../src/costs/count-tokens.ts'

describe('countTokens', () => {
  test('known texts', async () => {
    expect(await countTokens('', 'gpt-5')).toBe(0)
    expect(await countTokens('hello world', 'gpt-5')).toBe(2)
    expect(await countTokens('你好，世界', 'gpt-5')).toBe(3)
  })

  test('old models have a vocabulary of their own, also behind a provider’s name', async () => {
    const text = '苍鹭站在浅水中，耐心地等待一条鱼。'
    const old = await countTokens(text, 'gpt-4')
    expect(old).toBeGreaterThan(await countTokens(text, 'gpt-4o'))
    expect(await countTokens(text, 'openai/gpt-3.5-turbo')).toBe(old)
    expect(await countTokens(text, 'gpt-4.1')).toBe(await countTokens(text, 'claude-sonnet-4-5'))
  })

  test('what looks like a control token is text', async () => {
    expect(await countTokens('<|endoftext|>', 'gpt-5')).toBeGreaterThan(1)
  })

  test('a long text is counted by samples, near the truth', async () => {
    const line = 'The heron waits in the reeds.\n'
    const each = await countTokens(line.repeat(100), 'gpt-5')
    const all = await countTokens(line.repeat(20_000), 'gpt-5')
    expect(Math.abs(all / (each * 200) - 1)).toBeLessThan(0.02)
  })

  test('lets others have their turn', async () => {
    let turns = 0
    let done = false
    const turn = () => {
      turns++
      if (!done) setImmediate(turn)
    }
    setImmediate(turn)
    await countTokens('abcdefgh'.repeat(20_000), 'gpt-5')
    done = true
    expect(turns).toBeGreaterThan(8)
  })

  test('of too many at once some are guessed by their length', async () => {
    const text = 'heron '.repeat(40)
    const counted = await countTokens(text, 'gpt-5')
    const all = await Promise.all(Array.from({ length: 70 }, () => countTokens(text, 'gpt-5')))
    expect(counted).not.toBe(60)
    expect(all.filter(tokens => tokens === counted)).toHaveLength(64)
    expect(all.filter(tokens => tokens === 60)).toHaveLength(6)
  })
})
