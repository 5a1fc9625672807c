import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type RunningApp, startApp } from '../../support/app.ts'
import { ask, post } from '../../support/chat.ts'
import { type RawUpstream, rawUpstream, whole } from '../../support/raw-upstream.ts'

/** What the client of the gateway is told when the transport fails. */

let app: RunningApp
let upstream: RawUpstream
let wire = ''

beforeAll(async () => {
  upstream = rawUpstream(connection => connection.write(wire))
  app = await startApp({
    custom_providers: {
      odd: { base_url: upstream.address, faithful: true },
      told: { base_url: upstream.address, faithful: true, headers: { 'x-bad': 'a\nb' } },
    },
  })
})
afterAll(async () => {
  await app.stop()
  upstream.stop()
})

test.each([
  ['no HTTP', 'odd', 'SSH-2.0-OpenSSH_9.6\r\n', 'no HTTP/1.1 answer'],
  ['two lengths', 'odd', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}', 'no HTTP/1.1 answer'],
  ['an encoding that nobody knows', 'odd', whole('200 OK', '{}', { 'content-encoding': 'rot13' }), 'compressed'],
])('%s is a 502 that says so', async (_, provider, sent, words) => {
  wire = sent
  const response = await post(app.address, ask(`custom-${provider}/m`))
  expect(response.status).toBe(502)
  const { error } = (await response.json()) as { error: { message: string } }
  expect(error.message).toContain(words)
  expect(error.message).not.toContain('127.0.0.1')
})

test('a header that cannot be sent is a 502 that says so, and nothing is sent', async () => {
  const before = upstream.requests.length
  const response = await post(app.address, ask('custom-told/m'))
  expect(response.status).toBe(502)
  expect(await response.text()).toContain('header')
  expect(upstream.requests).toHaveLength(before)
})
