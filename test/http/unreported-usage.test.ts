import { afterEach, describe, expect, test } from 'bun:test'
import type { File } from '../../src/config/schema.ts'
import { countTokens } from '../../src/costs/count-tokens.ts'
import { openaiChunk, sse, streamPieces, streamType } from '../support/answers.ts'
import { type RunningApp, startApp } from '../support/app.ts'
import { type Seen, type StandIn, standIn } from '../support/stand-in.ts'

/** What a provider does not say of its use is counted and charged all the same (T95, T96), under limits and credit. */

const TOKEN = 'a-token-of-the-laptop'
/** USD a million: the tokens of an answer are told from those of its prompt by what they cost. */
const PRICE = { input: 10, output: 1_000 }
const WORDS = 'The heron stands in the reeds at the far end of the lake, on one leg, and waits for the fish. '
const SAID = WORDS.repeat(20)
const PROMPT = 'Where does the heron stand, and on how many legs?'

let provider: StandIn | undefined
let app: RunningApp | undefined
afterEach(async () => {
  await app?.stop()
  provider?.stop()
})

/** Where what was used shows. */
const ledgers: Record<string, { file: File; left(): Promise<number> }> = {
  credit: {
    file: { billing: { enabled: true } },
    left: async () => Number((await app!.store.credits.of('account'))!.balance) / 1e12,
  },
  'a spend rule': {
    file: { gateways: { default: { spend_limits: { enabled: true, rules: [{ limit: 100, window: 86_400 }] } } } },
    left: () => leftOf('spend:'),
  },
  'the budget of a token': {
    file: { tokens: [{ name: 'laptop', token: TOKEN, budget: 100 }] },
    left: () => leftOf('budget:'),
  },
}

/** What the counters hold is written a moment later. */
async function leftOf(prefix: string): Promise<number> {
  for (let tries = 0; tries < 200; tries++) {
    const rows = await app!.store.database.all<{ key: string; buckets: string }>('SELECT key, buckets FROM counters')
    const row = rows.find(({ key }) => key.startsWith(prefix))
    if (row) {
      const used = (JSON.parse(row.buckets) as number[]).reduce((sum, value, at) => (at % 2 ? sum + value : sum), 0)
      return 100 - used / 1e12
    }
    await Bun.sleep(10)
  }
  throw new Error(`no counter ${prefix}`)
}

async function started(file: File, answer: (seen: Seen) => Response): Promise<void> {
  provider = standIn(answer)
  const reach = { base_url: provider.address, keys: { default: 'k' } }
  app = await startApp({
    tokens: [{ name: 'laptop', token: TOKEN }],
    providers: { openai: reach, anthropic: reach },
    custom_providers: { mine: { ...reach } },
    prices: { 'openai/m': PRICE, 'anthropic/m': PRICE, 'custom-mine/m': PRICE },
    ...file,
  })
  await app.store.credits.add('account', 100n * 10n ** 12n, 'test')
}

interface Way {
  path: string
  model: string
}
const surfaces: Record<string, Way> = {
  compat: { path: '/compat/chat/completions', model: 'openai/m' },
  'compat, translated': { path: '/compat/chat/completions', model: 'anthropic/m' },
  'compat, a server of one’s own': { path: '/compat/chat/completions', model: 'custom-mine/m' },
  native: { path: '/openai/chat/completions', model: 'm' },
  'native, of Anthropic': { path: '/anthropic/v1/messages', model: 'm' },
}

const send = ({ path, model }: Way, stream: boolean, signal?: AbortSignal) =>
  fetch(`${app!.address}/v1/home/default${path}`, {
    method: 'POST',
    headers: { 'cf-aig-authorization': `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, max_tokens: 2_000, stream, messages: [{ role: 'user', content: PROMPT }] }),
    signal,
  })

const dialectOf = ({ path }: Seen) => (path.includes('messages') ? 'anthropic-messages' : 'openai-chat')

/** A whole stream that says nothing of its use, as OpenAI's without `include_usage`. */
function silent(seen: Seen): string[] {
  if (dialectOf(seen) === 'openai-chat')
    return [
      sse(openaiChunk({ role: 'assistant', content: '' })),
      ...Array.from({ length: 20 }, () => sse(openaiChunk({ content: WORDS }))),
      sse(openaiChunk({}, 'stop')),
      sse('[DONE]'),
    ]
  return (streamPieces('anthropic-messages', SAID) as string[]).map(piece =>
    piece.replace(/,?"usage":\{[^}]*\}/, '').replace('{,', '{'),
  )
}

const streamed = (seen: Seen, pieces: string[]) =>
  new Response(pieces.join(''), { headers: { 'content-type': streamType(dialectOf(seen)) } })

function whole(seen: Seen): Response {
  if (dialectOf(seen) === 'anthropic-messages')
    return Response.json({
      id: 'x',
      type: 'message',
      role: 'assistant',
      model: 'm',
      content: [{ type: 'text', text: SAID }],
      stop_reason: 'end_turn',
    })
  const choices = [{ index: 0, message: { role: 'assistant', content: SAID }, finish_reason: 'stop' }]
  return Response.json({ id: 'x', object: 'chat.completion', created: 1, model: 'm', choices })
}

/** Of the answer; names of members and of the model are counted with the prompt. */
async function charged(count: number): Promise<{ line: Record<string, unknown>; input: number; output: number }> {
  const line = await app!.record(count)
  return { line, input: Number(line.tokens_in ?? 0), output: Number(line.tokens_out ?? 0) }
}

/** Credit on every surface, and the others where it differs. */
const cases = Object.keys(ledgers).flatMap(ledger =>
  Object.keys(surfaces)
    .filter(surface => ledger === 'credit' || surface === 'compat' || surface === 'native')
    .map(surface => [ledger, surface] as const),
)

describe('a provider that says nothing of what it used', () => {
  test.each(cases)('T96 %s, %s: it is counted and charged, streamed or not', async (ledger, surface) => {
    const { file, left } = ledgers[ledger]!
    await started(file, seen => (seen.body.stream ? streamed(seen, silent(seen)) : whole(seen)))
    const words = await countTokens(SAID, 'm')
    const prompt = await countTokens(PROMPT, 'm')
    let paid = 0
    for (const [index, stream] of [false, true].entries()) {
      const response = await send(surfaces[surface]!, stream)
      expect(response.status).toBe(200)
      await response.text()
      const { line, input, output } = await charged(index + 1)
      expect(output).toBeWithin(Math.floor(words * 0.95), Math.ceil(words * 1.05))
      expect(input).toBeWithin(prompt, prompt + 20)
      paid += (input * PRICE.input + output * PRICE.output) / 1e6
      expect(line.cost as number).toBeGreaterThan(0)
    }
    // The reservations are gone with it.
    expect(await settled(left)).toBeCloseTo(100 - paid, 9)
    if (ledger === 'credit') expect((await app!.store.credits.of('account'))!.held).toBe(0n)
  })
})

/** What is left once it no longer changes. */
async function settled(left: () => Promise<number>): Promise<number> {
  let before = await left()
  for (let tries = 0; tries < 50; tries++) {
    await Bun.sleep(300)
    const now = await left()
    if (now === before) return now
    before = now
  }
  return before
}

describe('a client that leaves in the middle', () => {
  for (const [ledger, surface] of cases)
    test(`T95 ${ledger}, ${surface}: what came until then is charged`, async () => {
      const { file, left } = ledgers[ledger]!
      let hungUp = false
      await started(file, seen => {
        seen.signal.addEventListener('abort', () => {
          hungUp = true
        })
        // With what Anthropic says at the beginning: the prompt, and one token of an answer to come.
        const openai = dialectOf(seen) === 'openai-chat'
        const pieces = openai
          ? silent(seen).slice(0, 11)
          : (streamPieces('anthropic-messages', `${WORDS.repeat(20)}`) as string[]).slice(0, 3)
        return new Response(
          new ReadableStream({
            start(controller) {
              for (const piece of pieces) controller.enqueue(Buffer.from(piece))
            },
          }),
          { headers: { 'content-type': 'text/event-stream' } },
        )
      })
      const leaving = new AbortController()
      const response = await send(surfaces[surface]!, true, leaving.signal)
      const reader = response.body!.getReader()
      let came = ''
      const decoder = new TextDecoder()
      while (came.split('heron').length < 10) came += decoder.decode((await reader.read()).value, { stream: true })
      leaving.abort()
      const { line, output } = await charged(1)
      expect(line.status).toBe(499)
      // Half of the words.
      const words = await countTokens(WORDS.repeat(10), 'm')
      expect(output).toBeWithin(Math.floor(words * 0.9), Math.ceil(words * 1.1))
      const paid = (Number(line.tokens_in) * PRICE.input + output * PRICE.output) / 1e6
      expect(await settled(left)).toBeCloseTo(100 - paid, 9)
      expect(hungUp).toBe(true)
    })
})

test('a client that leaves before the first word has nothing to pay for, and nothing stays set aside', async () => {
  const { file, left } = ledgers.credit!
  await started(file, () => new Response(new ReadableStream({}), { headers: { 'content-type': 'text/event-stream' } }))
  const leaving = new AbortController()
  const call = send(surfaces.compat!, true, leaving.signal).catch(() => undefined)
  await provider!.until(1)
  leaving.abort()
  await call
  expect((await charged(1)).line.status).toBe(499)
  expect(await settled(left)).toBe(100)
  expect((await app!.store.credits.of('account'))!.held).toBe(0n)
})

test('an answer that the provider broke off is charged as far as it came', async () => {
  const { file, left } = ledgers.credit!
  await started(file, seen => streamed(seen, silent(seen).slice(0, 11)))
  await (await send(surfaces.compat!, true)).text()
  const { line, output } = await charged(1)
  expect(line).toMatchObject({ status: 200, error: 'upstream_closed' })
  const words = await countTokens(WORDS.repeat(10), 'm')
  expect(output).toBeWithin(Math.floor(words * 0.9), Math.ceil(words * 1.1))
  expect(await settled(left)).toBeLessThan(100)
})
