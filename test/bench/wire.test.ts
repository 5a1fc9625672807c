import { expect, test } from 'bun:test'
import { requestBytes, watchAnswers } from './wire.ts'

const whole = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'
const chunked = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n7\r\ndata: a\r\n7\r\ndata: b\r\n0\r\n\r\n'

test.each([whole, chunked])('an answer ends where it ends, however it is cut', answer => {
  for (let cut = 1; cut < answer.length; cut++) {
    const answers = watchAnswers()
    // Twice, because the connection stays open.
    for (let turn = 0; turn < 2; turn++) {
      expect(answers.read(Buffer.from(answer.slice(0, cut)))).toBe(false)
      expect(answers.read(Buffer.from(answer.slice(cut)))).toBe(true)
    }
  }
})

test('an answer that is no 200 is a fault', () => {
  expect(() => watchAnswers().read(Buffer.from('HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\nno'))).toThrow(
    'answered 401: no',
  )
})

test('the length of a request counts bytes', () => {
  const bytes = requestBytes({ port: 1, path: '/x', headers: { a: 'b' }, body: '"é"' })
  expect(Buffer.from(bytes).toString()).toBe(
    'POST /x HTTP/1.1\r\nhost: 127.0.0.1:1\r\ncontent-length: 4\r\na: b\r\n\r\n"é"',
  )
})
