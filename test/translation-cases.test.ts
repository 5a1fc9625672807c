import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { Glob } from 'bun'

/**
 * Every fault of other gateways that we know of, and that can happen here already, has a test that bears its number:
 * streams (1–17), Gemini (42–51), Bedrock (52–61), requests and whole answers (62–86, 97–102), usage and costs (87–96). A number that is missing
 * below is a case that nobody guards any more.
 */
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at)
const CASES = [...range(1, 17), ...range(42, 102)]

/** Cases of parts that do not exist yet: requests in Anthropic's form, embeddings, reranking, uploads. */
const TO_COME = [66, 78, 79, 80]

const titles = new Set<string>()
for (const path of new Glob('**/*.test.ts').scanSync(import.meta.dir)) {
  if (path === 'translation-cases.test.ts') continue
  const text = readFileSync(`${import.meta.dir}/${path}`, 'utf8')
  // Titles and rows of tables are the texts that begin with numbers of cases.
  for (const [, numbers] of text.matchAll(/['"`]((?:T\d{2,3} )+)/g))
    for (const number of numbers!.trim().split(' ')) titles.add(number)
}
const name = (number: number) => `T${String(number).padStart(2, '0')}`

test('every translation case has a test of its name', () => {
  const missing = CASES.filter(number => !TO_COME.includes(number)).map(name)
  expect(missing.filter(each => !titles.has(each))).toEqual([])
})

test('no case is still said to come that has arrived', () => {
  expect(TO_COME.map(name).filter(each => titles.has(each))).toEqual([])
})
