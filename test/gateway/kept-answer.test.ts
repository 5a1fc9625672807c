import { expect, test } from 'bun:test'
import { KeptAnswer } from '../../src/gateway/kept-answer.ts'

const MB = 1024 * 1024

test('an answer is kept up to its bound, without gaps', () => {
  const answer = new KeptAnswer(10)
  answer.add('12345')
  answer.add(new Uint8Array([1, 2, 3]))
  expect([answer.isCut, answer.bytes().length, answer.kept]).toEqual([false, 2, 8])
  answer.add('456')
  answer.add('1')
  expect([answer.isCut, answer.size, answer.kept, answer.pieces.length]).toEqual([true, 12, 8, 2])
  answer.free()
})

test('all answers under way together keep no more than so much, and what is over makes room', () => {
  const piece = new Uint8Array(MB)
  const answers = Array.from({ length: 20 }, () => new KeptAnswer(10 * MB))
  for (const answer of answers) for (let count = 0; count < 10; count++) answer.add(piece)
  const kept = () => answers.reduce((sum, answer) => sum + answer.kept, 0)
  expect(kept()).toBe(128 * MB)
  expect(answers.at(-1)!.isCut).toBe(true)
  for (const answer of answers) answer.free()
  const next = new KeptAnswer(10 * MB)
  next.add(piece)
  expect(next.kept).toBe(MB)
  next.free()
})
