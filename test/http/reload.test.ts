import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { File } from '../../src/config/schema.ts'
import { slowAnswer, streamPieces, wholeAnswer } from '../support/answers.ts'
import { startApp } from '../support/app.ts'
import { answerOf, ask, post, streamOf } from '../support/chat.ts'
import { type StandIn, standIn } from '../support/stand-in.ts'

let old: StandIn
let next: StandIn

beforeAll(() => {
  old = standIn(({ body }) =>
    body.stream
      ? slowAnswer('anthropic-messages', 'The old one.', 40)
      : wholeAnswer('anthropic-messages', 'The old one.'),
  )
  next = standIn(() => wholeAnswer('openai-chat', 'The new one.'))
})
afterAll(() => {
  old.stop()
  next.stop()
})

const file = (custom: object, token: string, more: File = {}): File => ({
  tokens: [{ name: 'mine', token }],
  custom_providers: { mine: custom as never },
  ...more,
})

const said = async (response: Response) => (await answerOf(response)).choices?.[0]?.message.content

test('new requests follow the new configuration; a stream in flight finishes on the old one', async () => {
  const app = await startApp(
    file({ base_url: old.address, dialect: 'anthropic-messages', keys: { default: 'old-key' } }, 'old-token'),
  )
  const stream = await post(app.address, ask('mine/m', { stream: true }), { token: 'old-token' })
  expect(stream.status).toBe(200)
  app.reload(file({ base_url: next.address, keys: { default: 'new-key' } }, 'new-token'))

  expect((await post(app.address, ask('mine/m'), { token: 'old-token' })).status).toBe(401)
  const fresh = await post(app.address, ask('mine/m'), { token: 'new-token' })
  expect(await said(fresh)).toBe('The new one.')
  expect(next.last().headers.get('authorization')).toBe('Bearer new-key')

  const { text, finish, done } = await streamOf(stream)
  expect({ text, finish, done }).toEqual({ text: 'The old one.', finish: 'stop', done: true })
  expect(old.seen).toHaveLength(1)
  await app.stop()
})

test('a stream in flight keeps going although its provider and its token are gone', async () => {
  const pieces = streamPieces('openai-chat', 'To the end.') as string[]
  const slow = standIn(() => {
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await Bun.sleep(30)
        const piece = pieces.shift()
        if (piece) controller.enqueue(Buffer.from(piece))
        else controller.close()
      },
    })
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
  })
  const app = await startApp(file({ base_url: slow.address, faithful: true }, 'old-token'))
  const stream = await post(app.address, ask('mine/m', { stream: true }), { token: 'old-token' })
  app.reload({ tokens: [] })
  expect((await streamOf(stream)).text).toBe('To the end.')
  await app.stop()
  slow.stop()
})

test('gateways, accounts, bounds and prices follow as well', async () => {
  const app = await startApp(file({ base_url: next.address }, 'a-token'))
  const path = '/v1/elsewhere/team/compat/chat/completions'
  const options = { token: 'a-token', path }
  expect((await post(app.address, ask('mine/m'), options)).status).toBe(401)
  app.reload(file({ base_url: next.address }, 'a-token', { account: 'elsewhere', gateways: { team: {} } }))
  expect((await post(app.address, ask('mine/m'), options)).status).toBe(200)
  app.reload(file({ base_url: next.address }, 'a-token', { server: { max_body: 1_024 } }))
  const large = ask('mine/m', { padding: 'x'.repeat(2_000) })
  expect((await post(app.address, large, { token: 'a-token' })).status).toBe(413)
  await app.stop()
})
