import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'bun:test'
import { GoogleGenAI, type LiveServerMessage, Modality } from '@google/genai'
import OpenAI from 'openai'
import { OpenAIRealtimeWebSocket } from 'openai/realtime/websocket'
import { type RunningApp, startApp, TOKEN } from '../support/app.ts'
import { type SocketStandIn, socketStandIn } from '../support/socket-stand-in.ts'

/** The providers' own clients for their sockets. */

const KEY = 'key-of-the-operator-4711'

let openai: SocketStandIn
let google: SocketStandIn
let app: RunningApp
const { WebSocket: Native } = globalThis

/** OpenAI's client insists on TLS, which stands before a gateway, not in it. */
class WithoutTls extends Native {
  constructor(url: string, protocols?: string[]) {
    super(url.replace(/^wss:/, 'ws:'), protocols)
  }
}

beforeAll(async () => {
  openai = socketStandIn({
    choose: offered => offered.find(item => item === 'realtime'),
    opened: socket =>
      void socket.send(JSON.stringify({ type: 'session.created', event_id: 'e1', session: { type: 'realtime' } })),
    message: socket =>
      void socket.send(JSON.stringify({ type: 'response.output_text.delta', event_id: 'e2', delta: 'a heron' })),
  })
  google = socketStandIn({
    // Google sends JSON as bytes.
    message: (socket, text) =>
      void socket.send(
        Buffer.from(
          String(text).includes('"setup"')
            ? '{"setupComplete":{}}'
            : '{"serverContent":{"modelTurn":{"parts":[{"text":"a heron"}]},"turnComplete":true}}',
        ),
      ),
  })
  app = await startApp({
    providers: {
      openai: { base_url: `${openai.address}/v1`, keys: { default: KEY } },
      'google-ai-studio': { base_url: google.address, keys: { default: KEY } },
    },
  })
})
beforeEach(() => {
  globalThis.WebSocket = WithoutTls as typeof WebSocket
})
afterEach(() => {
  globalThis.WebSocket = Native
})
afterAll(async () => {
  await app.stop()
  openai.stop()
  google.stop()
})

test('OpenAI: the token stands where the key would, among the subprotocols', async () => {
  const client = new OpenAI({ apiKey: TOKEN, baseURL: `${app.address}/v1/home/default/openai` })
  const realtime = new OpenAIRealtimeWebSocket({ model: 'gpt-realtime', dangerouslyAllowBrowser: true }, client)
  const faults: unknown[] = []
  realtime.on('error', fault => void faults.push(fault))
  const delta = Promise.withResolvers<string>()
  realtime.on('session.created', () => realtime.send({ type: 'response.create' }))
  realtime.on('response.output_text.delta', ({ delta: text }) => delta.resolve(text))
  expect(await delta.promise).toBe('a heron')
  expect(faults).toEqual([])
  const { path, headers } = openai.last()
  expect(path).toBe('/v1/realtime?model=gpt-realtime')
  expect(headers.get('authorization')).toBe(`Bearer ${KEY}`)
  expect(headers.get('sec-websocket-protocol')).toBe('realtime')
  expect(JSON.stringify([path, ...headers])).not.toContain(TOKEN)
  expect(JSON.parse(String(openai.messages[0]))).toMatchObject({ type: 'response.create' })
  const closed = new Promise<CloseEvent>(resolve => realtime.socket.addEventListener('close', resolve))
  realtime.close()
  expect((await closed).code).toBe(1000)
})

test('Gemini Live: the token stands where the key would, in the address', async () => {
  const client = new GoogleGenAI({
    apiKey: TOKEN,
    httpOptions: { baseUrl: `${app.address}/v1/home/default/google-ai-studio` },
  })
  const said = Promise.withResolvers<string>()
  const session = await client.live.connect({
    model: 'gemini-live-2.5-flash',
    config: { responseModalities: [Modality.TEXT] },
    callbacks: {
      onmessage: ({ serverContent }: LiveServerMessage) => {
        const text = serverContent?.modelTurn?.parts?.[0]?.text
        if (text) said.resolve(text)
      },
    },
  })
  session.sendClientContent({ turns: [{ role: 'user', parts: [{ text: 'What stands there?' }] }] })
  expect(await said.promise).toBe('a heron')
  session.close()
  const { path, headers } = google.last()
  expect(path).toMatch(/^\/ws\/google\.ai\.generativelanguage\.v1\w*\.GenerativeService\.BidiGenerateContent\?key=/)
  expect(path).toEndWith(`?key=${KEY}`)
  expect(headers.has('x-goog-api-key')).toBe(false)
  expect(JSON.stringify([path, ...headers])).not.toContain(TOKEN)
})
