import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, setSystemTime, test } from 'bun:test'
import { keyCipher } from '../../src/storage/key-cipher.ts'
import { secretInMemory } from '../../src/storage/own-secret.ts'
import type { StoredKey } from '../../src/storage/store.ts'
import { wholeAnswer } from '../support/answers.ts'
import { type RunningApp, startApp, TOKEN } from '../support/app.ts'
import { type Answer, ask } from '../support/chat.ts'
import { type StandIn, standIn } from '../support/stand-in.ts'

/** Keys that are kept in the store beside those of the file (contract 2.2 and 2.3). */

const SECRET = 'a-secret-of-the-operator'
const RUNS = { 'cf-aig-authorization': `Bearer ${TOKEN}` }
const cipher = keyCipher(SECRET, secretInMemory())

let provider: StandIn
let app: RunningApp
let list: unknown = {}
let refused = false

beforeAll(() => {
  provider = standIn(({ method }) => {
    if (refused) return Response.json({ error: { message: 'bad key' } }, { status: 401 })
    return method === 'GET' ? Response.json(list) : wholeAnswer('openai-chat', 'Yes.')
  })
})
afterAll(() => provider.stop())
beforeEach(async () => {
  const base_url = provider.address
  app = await startApp({
    storage: { encryption_key: SECRET },
    providers: {
      openai: { base_url, keys: { default: 'file-default', research: 'file-research' } },
      groq: { base_url },
      mistral: { base_url, keys: { only: 'file-only' } },
    },
    custom_providers: { local: { base_url } },
    gateways: { lab: {}, open: { authentication: false } },
  })
})
afterEach(async () => {
  setSystemTime()
  await app.stop()
})

async function keep(text: string, more: Partial<StoredKey> = {}, seal = cipher): Promise<StoredKey> {
  const { provider: slug = 'groq', alias = 'default', gateway } = more
  const scope = { provider: slug, alias, ...(gateway !== undefined && { gateway }) }
  const key: StoredKey = {
    id: Bun.randomUUIDv7(),
    ...scope,
    ...seal.seal(text, scope),
    is_default: false,
    preview: text.slice(-4),
    created: 1,
    modified: 1,
    ...more,
  }
  await app.store.keys.put(key)
  return key
}

/** What the server remembers of the store is out of date. */
const later = (milliseconds = 2_001) => setSystemTime(new Date(Date.now() + milliseconds))

interface Came {
  status: number
  text: string
  headers: Headers
  /** What went upstream as the key; undefined when nothing went. */
  key?: string | null
}

async function send(path: string, body: unknown, headers: Record<string, string>): Promise<Came> {
  const before = provider.seen.length
  const response = await fetch(app.address + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  const text = await response.text()
  const reached = provider.seen.length > before
  return {
    status: response.status,
    text,
    headers: response.headers,
    ...(reached && {
      key:
        provider
          .last()
          .headers.get('authorization')
          ?.replace(/^Bearer /, '') ?? null,
    }),
  }
}

interface How {
  alias?: string
  slug?: string
  gateway?: string
  headers?: Record<string, string>
}
const withAlias = ({ alias, headers = RUNS }: How) => ({
  ...headers,
  ...(alias !== undefined && { 'cf-aig-byok-alias': alias }),
})

const path = ({ gateway = 'default' }: How, more: string) => `/v1/home/${gateway}${more}`
const query = { model: 'm', messages: [] }

const compat = (how: How = {}) =>
  send(path(how, '/compat/chat/completions'), ask(`${how.slug ?? 'groq'}/m`), withAlias(how))
const native = (how: How = {}) => send(path(how, `/${how.slug ?? 'groq'}/chat/completions`), query, withAlias(how))
const universal = (how: How = {}) => {
  const headers = how.alias === undefined ? {} : { 'cf-aig-byok-alias': how.alias }
  const step = { provider: how.slug ?? 'groq', endpoint: 'chat/completions', headers, query }
  return send(path(how, ''), [step], how.headers ?? RUNS)
}
const surfaces = { compat, native, universal }

const message = ({ text }: Came): string => {
  const body = JSON.parse(text) as Answer & { message?: string; errors?: { message: string }[] }
  return body.message ?? body.errors?.[0]?.message ?? body.error?.message ?? ''
}
const numberOf = ({ text }: Came) => (JSON.parse(text) as { errors?: { code: number }[] }).errors?.[0]?.code

describe.each(Object.entries(surfaces))('%s', (_, surface) => {
  test('the stored default serves callers who bring no key', async () => {
    await keep('stored-default')
    expect(await surface()).toMatchObject({ status: 200, key: 'stored-default' })
    expect(await surface({ alias: 'default' })).toMatchObject({ status: 200, key: 'stored-default' })
  })

  test('an alias chooses among those of the file and of the store', async () => {
    await keep('stored-prod', { provider: 'openai', alias: 'prod' })
    expect((await surface({ slug: 'openai' })).key).toBe('file-default')
    expect((await surface({ slug: 'openai', alias: 'research' })).key).toBe('file-research')
    expect((await surface({ slug: 'openai', alias: 'prod' })).key).toBe('stored-prod')
  })

  test('an alias that is not there is 2040, with those that are', async () => {
    await keep('stored-prod', { provider: 'openai', alias: 'prod' })
    await keep('stored-lab', { provider: 'openai', alias: 'of-the-lab', gateway: 'lab' })
    const came = await surface({ slug: 'openai', alias: 'nowhere' })
    expect(came.status).toBe(400)
    expect(came.key).toBeUndefined()
    expect(numberOf(came)).toBe(2040)
    expect(message(came)).toBe(
      'provider openai has no BYOK credential named "nowhere"; configured aliases: default, prod, research',
    )
  })

  test('a key that cannot be decrypted is an error, and no other key takes its place', async () => {
    await keep('stored-prod', { provider: 'openai', alias: 'prod' }, keyCipher('another', secretInMemory()))
    const came = await surface({ slug: 'openai', alias: 'prod' })
    expect([came.status, came.key]).toEqual([500, undefined])
    expect(message(came)).toContain('Configured BYOK credentials are unavailable')
    expect(message(came)).toContain('"prod"')
    expect((await surface({ slug: 'openai' })).key).toBe('file-default')
  })
})

describe('which key', () => {
  const { compat, native, universal } = surfaces as Record<
    'compat' | 'native' | 'universal',
    typeof surfaces.compat & {}
  >

  test('the caller’s own goes before any alias', async () => {
    await keep('stored-default')
    const headers = { ...RUNS, authorization: 'Bearer gsk-of-the-caller' }
    for (const alias of [undefined, 'default', 'nowhere'])
      expect(await native({ headers, ...(alias && { alias }) })).toMatchObject({
        status: 200,
        key: 'gsk-of-the-caller',
      })
  })

  test('our token where the key would stand is replaced by the stored one', async () => {
    await keep('stored-default')
    expect((await native({ headers: { authorization: `Bearer ${TOKEN}` } })).key).toBe('stored-default')
  })

  test('the file wins for the same alias', async () => {
    await keep('stored-research', { provider: 'openai', alias: 'research', is_default: true })
    expect((await compat({ slug: 'openai', alias: 'research' })).key).toBe('file-research')
    expect((await compat({ slug: 'openai' })).key).toBe('file-default')
  })

  test('that of the gateway goes before that of all, and one of another gateway is not there', async () => {
    await keep('of-all')
    await keep('of-the-lab', { gateway: 'lab' })
    await keep('second-of-the-lab', { alias: 'second', gateway: 'lab' })
    expect((await compat()).key).toBe('of-all')
    expect((await compat({ gateway: 'lab' })).key).toBe('of-the-lab')
    expect((await compat({ gateway: 'lab', alias: 'second' })).key).toBe('second-of-the-lab')
    expect(numberOf(await compat({ alias: 'second' }))).toBe(2040)
  })

  test('the one that was made the default goes before the one called default', async () => {
    await keep('called-default')
    await keep('flagged', { alias: 'new', is_default: true })
    expect((await compat()).key).toBe('flagged')
    expect((await compat({ alias: 'default' })).key).toBe('called-default')
  })

  test('the gateway’s own one called default goes before one marked for all; asking for default finds a marked one', async () => {
    await keep('marked', { alias: 'new', is_default: true })
    expect((await compat({ alias: 'default' })).key).toBe('marked')
    await keep('of-the-lab', { gateway: 'lab' })
    later()
    expect((await compat({ gateway: 'lab' })).key).toBe('of-the-lab')
    expect((await compat()).key).toBe('marked')
  })

  test('without a default the first of the file serves; of the store none does, and the answer names them', async () => {
    await keep('stored-prod', { alias: 'prod' })
    expect((await compat({ slug: 'mistral' })).key).toBe('file-only')
    const came = await compat()
    expect(came).toMatchObject({ status: 400 })
    expect(message(came)).toContain('configured aliases: prod')
  })

  test.each(['constructor', '__proto__', 'toString'])(
    'the alias %s is like any other that is not there',
    async alias => {
      expect(numberOf(await compat({ slug: 'openai', alias }))).toBe(2040)
    },
  )

  test('what cannot be an alias is not repeated', async () => {
    const came = await compat({ slug: 'openai', alias: 'Bearer sk-sent-by-mistake' })
    expect(numberOf(came)).toBe(2040)
    expect(came.text).not.toContain('sk-sent')
  })

  test('a server that needs no key gets the stored one, and 2040 for an alias', async () => {
    expect(await compat({ slug: 'custom-local' })).toMatchObject({ status: 200, key: null })
    expect(numberOf(await compat({ slug: 'custom-local', alias: 'x' }))).toBe(2040)
    await keep('stored-local', { provider: 'custom-local' })
    later()
    expect((await compat({ slug: 'custom-local' })).key).toBe('stored-local')
  })

  test('on an open gateway stored keys, and their names, are for callers with a token', async () => {
    await keep('stored-default')
    await keep('stored-prod', { alias: 'prod' })
    for (const alias of ['default', 'nowhere']) {
      const came = await compat({ gateway: 'open', alias, headers: {} })
      expect(came).toMatchObject({ status: 400 })
      expect(came.key).toBeUndefined()
      expect(came.text).not.toContain('prod')
    }
    expect((await compat({ gateway: 'open' })).key).toBe('stored-default')
  })

  test('the alias of a whole list holds for steps that name none', async () => {
    await keep('stored-prod', { alias: 'prod' })
    await keep('stored-step', { alias: 'step' })
    const headers = { ...RUNS, 'cf-aig-byok-alias': 'prod' }
    expect((await universal({ headers })).key).toBe('stored-prod')
    expect((await universal({ headers, alias: 'step' })).key).toBe('stored-step')
  })
})

describe('the list of models', () => {
  const ids = async (gateway: string, headers: Record<string, string> = RUNS) => {
    const response = await fetch(`${app.address}${path({ gateway }, '/compat/models')}`, { headers })
    const { data } = (await response.json()) as { data: { id: string }[] }
    return data.map(({ id }) => id).filter(id => id.startsWith('groq/'))
  }
  const keyOfQuestion = () =>
    provider.seen.findLast(({ headers }) => headers.get('authorization') === 'Bearer of-the-lab')?.path

  test('has those of a provider with a stored key, where that key may be used', async () => {
    list = { data: [{ id: 'llama-heron' }] }
    await keep('of-the-lab', { gateway: 'lab' })
    expect(await ids('default')).toEqual([])
    expect(await ids('lab')).toEqual(['groq/llama-heron'])
    expect(keyOfQuestion()).toBe('/models')
  })
})

describe('while running', () => {
  test('a key that is replaced, removed and stored again is so within two seconds', async () => {
    const { id } = await keep('first')
    expect((await compat()).key).toBe('first')
    await keep('second')
    later()
    expect((await compat()).key).toBe('second')
    await app.store.keys.remove(id)
    later()
    const came = await compat()
    expect(came).toMatchObject({ status: 400 })
    expect(came.key).toBeUndefined()
    expect(message(came)).toContain('postern key add groq')
    await keep('third')
    later()
    expect((await compat()).key).toBe('third')
  })

  test('the store is asked once in two seconds, and not at all for keys of the file', async () => {
    await keep('stored-default')
    let asked = 0
    const { ofProvider } = app.store.keys
    app.store.keys.ofProvider = slug => {
      asked++
      return ofProvider(slug)
    }
    for (let n = 0; n < 3; n++) await compat()
    expect(asked).toBe(1)
    for (let n = 0; n < 3; n++) await compat({ slug: 'openai' })
    expect(asked).toBe(1)
  })

  test('over its own limit a key is 429/2003 with retry-after, until its period is over', async () => {
    await keep('limited', { rate_limit: 2, rate_limit_period: 30 })
    await keep('unlimited', { alias: 'free' })
    const statuses = [await compat(), await compat(), await compat()].map(({ status }) => status)
    expect(statuses).toEqual([200, 200, 429])
    later(10_000)
    const over = await compat()
    expect([over.status, numberOf(over), over.key]).toEqual([429, 2003, undefined])
    expect(Number(over.headers.get('retry-after'))).toBeWithin(15, 22)
    expect((await compat({ alias: 'free' })).status).toBe(200)
    later(21_000)
    expect((await compat()).status).toBe(200)
  })

  test('a provider that refuses a stored key is 401 with code 2009 on the REST plane', async () => {
    await keep('gsk-refused')
    refused = true
    const response = await fetch(`${app.address}/client/v4/accounts/home/ai/run`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}` },
      body: JSON.stringify({ model: 'groq/llama', input: { messages: [{ role: 'user', content: 'Hi' }] } }),
    })
    refused = false
    expect([response.status, await response.json()]).toMatchObject([401, { errors: [{ code: 2009 }] }])
  })

  test('a new configuration does not begin the count anew', async () => {
    await keep('limited', { rate_limit: 1 })
    await compat()
    app.reload({ providers: { groq: { base_url: provider.address } } })
    expect((await compat()).status).toBe(429)
  })

  test('nothing of a stored key stands in the log or in an answer', async () => {
    await keep('gsk-stored-and-secret-1234')
    await keep('gsk-lost-and-secret-5678', { alias: 'lost' }, keyCipher('another', secretInMemory()))
    const answers = [await compat(), await compat({ alias: 'lost' }), await compat({ alias: 'nowhere' })]
    expect(answers.map(({ status }) => status)).toEqual([200, 500, 400])
    await app.record(3)
    for (const text of [app.logged(), ...answers.map(({ text }) => text)]) {
      expect(text).not.toContain('and-secret')
      expect(text).not.toContain(SECRET)
    }
  })
})
