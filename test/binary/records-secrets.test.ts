import { afterAll, expect, setDefaultTimeout, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { kept } from '../storage/records/support.ts'
import { openaiChunk, sse } from '../support/answers.ts'
import { closeDatabases, openAddress } from '../support/databases.ts'
import { standIn } from '../support/stand-in.ts'
import { endAll, folder, run, start } from './executable.ts'

/** Keys in prompts, answers, headers and addresses: none of them is in the database or in what is made of it. */

setDefaultTimeout(60_000)
afterAll(async () => {
  await endAll()
  await closeDatabases()
})

/** Put together here, so that nothing takes this file for a leak. */
const secret = (...parts: string[]) => parts.join('')
const letters = 'Abcdefghijklmnopqrstuvwxyz0123456789Abcdefghijklmnop'
const TOKEN = secret('pst_', letters.slice(0, 32))
const HOUSE = secret('sk-', 'house-', letters.slice(0, 30))
const STORED = secret('gsk_', 'Stored', letters.slice(0, 30))
const OWN = secret('sk-ant-', 'own-', letters.slice(0, 30))
const QUERY = secret('AIza', 'Query', letters.slice(0, 30))
/** No format tells that this is one: only the file does. */
const ODD = 'the heron stands on one leg 4711'
const SAID = [
  secret('sk-', 'proj-', letters.slice(0, 40)),
  secret('AKIA', 'ABCDEFGHIJKLMNOP'),
  secret('gh', 'p_', letters.slice(0, 36)),
  secret('xox', 'b-1234567890-', letters.slice(0, 20)),
  secret('hf', '_', letters.slice(0, 34)),
  secret('eyJ', 'hbGciOiJIUzI1NiJ9.', 'eyJ', 'zdWIiOiIxMjM0NTY3ODkwIn0.', letters.slice(0, 43)),
  secret('-----BEGIN PRI', 'VATE KEY-----\nMIIEvQIBADANBg', letters, '\n-----END PRI', 'VATE KEY-----'),
]
/** A private key's own text, which is what must not be there. */
const WITHIN = secret('MIIEvQIBADANBg', letters)

const headers = (key?: string): Record<string, string> => ({
  'cf-aig-authorization': `Bearer ${TOKEN}`,
  'content-type': 'application/json',
  'user-agent': 'heron/1',
  ...(key && { authorization: `Bearer ${key}`, 'x-api-key': key }),
})

test('after a run full of keys, no file of the gateway holds any of them', async () => {
  const provider = standIn(({ body, path, headers: sent }) => {
    const seen = [sent.get('authorization'), sent.get('x-api-key'), sent.get('x-goog-api-key')].join(' ')
    // Some providers say the key again when they refuse it.
    if (path.includes('refused') || JSON.stringify(body).includes('refuse me'))
      return Response.json({ error: { message: `Incorrect API key provided: ${seen}.` } }, { status: 401 })
    const content = `You said: ${SAID.join(' and ')}`
    if (body.stream)
      return new Response(
        // A key in pieces is whole only when the stream has been put together.
        [...content.matchAll(/[\s\S]{1,7}/g)].map(([piece]) => sse(openaiChunk({ content: piece }))).join('') +
          sse('[DONE]'),
        { headers: { 'content-type': 'text/event-stream' } },
      )
    return Response.json({
      id: 'c',
      object: 'chat.completion',
      created: 1,
      model: 'm',
      choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 5, completion_tokens: 5, total_tokens: 10 },
    })
  })
  const base_url = provider.address
  const here = folder({
    'postern.yaml': JSON.stringify({
      storage: { database: 'sqlite:./postern.db', encryption_key: 'a-secret-for-the-stored-keys' },
      tokens: [{ name: 'operator', token: TOKEN, permissions: ['run', 'read', 'edit'] }],
      providers: {
        openai: { base_url, keys: { default: HOUSE } },
        anthropic: { base_url },
        groq: { base_url },
        'google-ai-studio': { base_url },
        mistral: { base_url, keys: { default: ODD } },
      },
      logpush: [{ url: 'file:./pushed/ai.ndjson' }],
      gateways: { default: { logpush: true } },
    }),
  })
  expect((await run(['key', 'add', 'groq', '--from-env', 'KEY'], here.path, { KEY: STORED })).code).toBe(0)
  const server = await start([], here.path)
  const ids: string[] = []
  const post = async (path: string, body: unknown, given = headers()) => {
    const answer = await fetch(server.address + path, { method: 'POST', headers: given, body: JSON.stringify(body) })
    await answer.text()
    ids.push(answer.headers.get('cf-aig-log-id') ?? `none for ${path}`)
    return answer.status
  }
  const messages = [{ role: 'user', content: `Keep these: ${SAID.join(' ')}` }]
  for (const model of ['openai/m', 'groq/m', 'mistral/m', 'anthropic/m'])
    for (const stream of [false, true]) await post('/v1/chat/completions', { model, messages, stream, max_tokens: 9 })
  for (const model of ['openai/m', 'groq/m', 'mistral/m'])
    expect(await post('/v1/chat/completions', { model, messages: [{ role: 'user', content: 'refuse me' }] })).toBe(401)
  await post('/v1/home/default/openai/chat/completions', { model: 'm', messages }, headers(OWN))
  await post('/v1/home/default/anthropic/v1/messages', { model: 'm', messages, max_tokens: 9 }, headers(OWN))
  await post('/v1/home/default/anthropic/refused', { model: 'm', messages, max_tokens: 9 }, headers(OWN))
  await post(`/v1/home/default/google-ai-studio/v1beta/models/m:generateContent?key=${QUERY}`, {
    contents: [{ role: 'user', parts: [{ text: SAID[0] }] }],
  })
  await post('/v1/home/default', [
    {
      provider: 'openai',
      endpoint: 'chat/completions',
      headers: { authorization: `Bearer ${OWN}` },
      query: { model: 'm', messages },
    },
  ])
  await post('/v1/chat/completions', {
    model: 'openai/m',
    messages,
    api_key: OWN,
    headers: { authorization: `Bearer ${OWN}` },
  })
  expect(ids.filter(id => !/^[0-9a-f-]{36}$/.test(id))).toEqual([])

  const read = async (path: string) => {
    const url = `${server.address}/client/v4/accounts/home/ai-gateway/gateways/default/${path}`
    const answer = await fetch(url, { headers: { authorization: `Bearer ${TOKEN}` } })
    return [path, `${answer.status} ${await answer.text()}`] as const
  }
  const told: (readonly [string, string])[] = []
  for (const id of ids)
    for (const part of ['', '/request', '/response', '/explain']) told.push(await read(`logs/${id}${part}`))
  told.push(await read('logs?per_page=50'), await read('logs/export?bodies=true'))
  told.push(['export', (await run(['logs', 'export', '--bodies'], here.path)).out])
  expect(told.filter(([, text]) => text.includes('[redacted:')).length).toBeGreaterThan(ids.length)
  server.signal('SIGTERM')
  expect(await server.exited).toBe(0)
  told.push(['what it wrote', server.said()])

  // Bodies are packed in the file: each is unpacked here, in all its forms.
  const database = await openAddress(`sqlite:${here.path}/postern.db`)
  const records = await kept(database)
  for (const id of ids)
    for (const name of ['request', 'upstream-request', 'answer', 'upstream-answer', 'explain'] as const) {
      const body = await records.body('default', id, name)
      if (body) told.push([`${name} of ${id}`, new TextDecoder().decode(body.bytes)])
    }
  await records.close()
  for (const file of readdirSync(here.path, { recursive: true, withFileTypes: true }))
    if (file.isFile() && file.name !== 'postern.yaml')
      told.push([file.name, readFileSync(join(file.parentPath, file.name), 'latin1')])
  expect(told.map(([where]) => where)).toContain('ai.ndjson')

  const secrets = {
    TOKEN,
    HOUSE,
    STORED,
    OWN,
    QUERY,
    ODD,
    WITHIN,
    ...Object.fromEntries(SAID.map((one, n) => [`SAID ${n}`, one])),
  }
  const leaks = told.flatMap(([where, text]) =>
    Object.entries(secrets)
      .filter(([, one]) => text.includes(one) || text.includes(JSON.stringify(one).slice(1, -1)))
      .map(([name]) => `${name} in ${where.replace(/[0-9a-f-]{36}/, id => `#${ids.indexOf(id)}`)}`),
  )
  expect(leaks).toEqual([])
  provider.stop()
  here.remove()
})
