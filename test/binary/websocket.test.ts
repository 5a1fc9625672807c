import { afterEach, expect, setDefaultTimeout, test } from 'bun:test'
import { framesOf, openSocket } from '../support/socket-client.ts'
import { holds, socketStandIn } from '../support/socket-stand-in.ts'
import { standIn } from '../support/stand-in.ts'
import { endAll, folder, start } from './executable.ts'

afterEach(endAll)
setDefaultTimeout(30_000)

const KEY = 'key-of-the-operator-4711'
const OURS = 'a-token-for-the-executable'

test('the executable serves both kinds of sockets, and closes them when it stops', async () => {
  const voice = socketStandIn()
  const chat = standIn(({ path }) =>
    path.endsWith('stream')
      ? new Response('data: {"n":1}\n\ndata: [DONE]\n\n', { headers: { 'content-type': 'text/event-stream' } })
      : Response.json({ said: 'a heron' }),
  )
  const here = folder({
    'postern.yaml': JSON.stringify({
      storage: { database: 'sqlite::memory:' },
      tokens: [{ name: 'sockets', token: OURS }],
      providers: {
        openai: { base_url: `${voice.address}/v1`, keys: { default: KEY } },
        groq: { base_url: chat.address, keys: { default: KEY } },
      },
    }),
  })
  const server = await start([], here.path)
  const address = `${server.address}/v1/home/default`
  const protocols = [`cf-aig-authorization.${OURS}`]

  const many = await openSocket(address, { token: null, protocols })
  for (const endpoint of ['chat/completions', 'stream'])
    many.send({
      type: 'universal.create',
      request: { eventId: endpoint, provider: 'groq', endpoint, headers: {}, query: {} },
    })
  const frames = framesOf(await many.until(4))
  const told = (id: string) => frames.filter(({ metadata }) => metadata.eventId === id).map(({ type }) => type)
  expect(told('chat/completions')).toEqual(['universal.created'])
  expect(told('stream')).toEqual(['universal.created', 'universal.stream', 'universal.done'])

  const realtime = await openSocket(`${address}/openai?model=gpt-realtime`, { token: null, protocols })
  const said = ['text', Buffer.from([0, 255, 1])]
  for (const message of said) realtime.send(message)
  expect(await realtime.until(2)).toEqual(said)
  expect(voice.last().path).toBe('/v1/realtime?model=gpt-realtime')
  expect(JSON.stringify([...voice.last().headers])).not.toContain(OURS)

  server.signal('SIGTERM')
  expect((await many.ended).code).toBe(1001)
  expect((await realtime.ended).code).toBe(1001)
  await holds(() => voice.ended.some(({ code }) => code === 1001))
  expect(await server.exited).toBe(0)
  expect(server.said()).toContain('"status":101')
  expect(server.said()).not.toContain(OURS)
  expect(server.said()).not.toContain(KEY)
  voice.stop()
  chat.stop()
  here.remove()
})
