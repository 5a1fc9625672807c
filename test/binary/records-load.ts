import { kept } from '../storage/records/support.ts'
import { openAddress } from '../support/databases.ts'

/** A crowd that asks on, whatever becomes of the server, and remembers every answer that it got. */

export const TOKEN = 'a-token-of-the-crowd'
/** Picodollars: 100 tokens in and out at 10 USD a million. */
export const COST = 1_000_000_000
/** USD that were paid in before the crowd came. */
export const PAID = 1_000
const PICO = 10n ** 12n

/** An answer whose end has arrived: what it is called in the records, and when it was asked for and arrived. */
export interface Answered {
  id: string
  sent: number
  at: number
  status: number
}

export interface Provider {
  address: string
  stop(): void
}

/** A provider that takes a few milliseconds and keeps nothing of what it was asked. */
export function quietProvider(delay = 4): Provider {
  const text = JSON.stringify({
    id: 'c',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: 'In the reeds.' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 60, completion_tokens: 40, total_tokens: 100 },
  })
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      await request.arrayBuffer()
      await Bun.sleep(delay)
      return new Response(text, { headers: { 'content-type': 'application/json' } })
    },
  })
  return { address: `http://127.0.0.1:${server.port}`, stop: () => void server.stop(true) }
}

/** A gateway whose every request is counted in a limit of money, paid from credit, and recorded with its bodies. */
export const fileFor = (provider: Provider, database: string) => ({
  storage: { database, on_shared_store_failure: 'allow' },
  tokens: [{ name: 'crowd', token: TOKEN, permissions: ['run', 'read'] }],
  providers: { openai: { base_url: provider.address, keys: { default: 'k' } } },
  prices: { 'openai/m': { input: 10, output: 10 } },
  billing: { enabled: true, rate_limit: 1_000_000_000 },
  gateways: {
    default: { spend_limits: { enabled: true, rules: [{ limit: 8_000, window: 604_800, technique: 'fixed' }] } },
  },
})

export const LANES = 16
const body = JSON.stringify({
  model: 'openai/m',
  max_tokens: 50,
  messages: [{ role: 'user', content: 'Where does the heron stand?' }],
})

export interface Crowd {
  answered: Answered[]
  /** Those that never had an answer. */
  unanswered: number
  /** Ends when every request under way is over. */
  stop(): Promise<void>
  /** Resolves when that many answers have come. */
  until(count: number): Promise<void>
}

/** @param at where the server is just now */
export function crowd(at: () => string, lanes = LANES): Crowd {
  const answered: Answered[] = []
  let stopped = false
  const all: Crowd = {
    answered,
    unanswered: 0,
    async stop() {
      stopped = true
      await Promise.all(running)
    },
    async until(count) {
      while (answered.length < count) await Bun.sleep(10)
    },
  }
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
  const lane = async () => {
    while (!stopped) {
      const sent = Date.now()
      try {
        const answer = await fetch(`${at()}/v1/chat/completions`, { method: 'POST', headers, body })
        await answer.text()
        const id = answer.headers.get('cf-aig-log-id')
        if (id) answered.push({ id, sent, at: Date.now(), status: answer.status })
        else all.unanswered++
      } catch {
        all.unanswered++
        await Bun.sleep(10)
      }
    }
  }
  const running = Array.from({ length: lanes }, lane)
  return all
}

export interface OnRecord {
  ids: Set<string>
  /** Rows of requests that were paid for. */
  paid: number
  /** Picodollars, from here on: the rows together, the sums of the hours, the limit's counter, what credit has lost. */
  rows: bigint
  hours: bigint
  counted: bigint
  spent: bigint
  /** What credit's own hours say was spent. */
  charged: bigint
  /** What requests under way have set aside. */
  held: bigint
  /** Attempts in the sums of the hours. */
  attempts: number
  /** Of a few hundred rows of good answers, those whose prompt or answer cannot be read. */
  bodiless: string[]
  /** How many rows the gateway is said to have. */
  kept: number
  /** SQLite's word on its own file. */
  integrity: string
}

/** What a database holds, after the server has gone. */
export async function onRecord(address: string): Promise<OnRecord> {
  const database = await openAddress(address)
  const records = await kept(database)
  const ids = new Set<string>()
  const good: string[] = []
  let rows = 0n
  let paid = 0
  for (let last = 0; ; ) {
    const page = await records.after('default', last, 2_000)
    if (!page.records.length) break
    for (const { id, cost, status } of page.records) {
      ids.add(id)
      if (status === 200) good.push(id)
      if (!cost) continue
      paid++
      rows += BigInt(cost)
    }
    last = page.last
  }
  const [sum] = await records.analytics.hours({ from: 0, to: Date.now() })
  const counters = await database.all<{ buckets: string }>(
    "SELECT buckets FROM counters WHERE key LIKE 'spend:default:%'",
  )
  const counted = counters
    .flatMap(({ buckets }) => JSON.parse(buckets) as (number | string)[])
    .filter((_, at) => at % 2 === 1)
    .reduce((all, used) => all + BigInt(used), 0n)
  const credit = await database.get<{ balance: string; held: string }>(
    "SELECT CAST(balance AS TEXT) AS balance, CAST(held AS TEXT) AS held FROM credits WHERE owner = 'account'",
  )
  const usage = await database.get<{ amount: string }>('SELECT CAST(SUM(amount) AS TEXT) AS amount FROM credit_usage')
  const some = good.filter((_, at) => at % Math.ceil(good.length / 300) === 0)
  const bodiless: string[] = []
  for (const id of some)
    for (const name of ['request', 'answer'] as const)
      if (!(await records.body('default', id, name))?.bytes.length) bodiless.push(`${name} of ${id}`)
  const integrity =
    database.kind === 'sqlite'
      ? (await database.all<{ integrity_check: string }>('PRAGMA integrity_check'))
          .map(row => row.integrity_check)
          .join()
      : 'ok'
  const told: OnRecord = {
    ids,
    paid,
    rows,
    hours: BigInt(sum?.cost ?? 0),
    counted,
    spent: BigInt(PAID) * PICO - BigInt(credit?.balance ?? 0),
    charged: BigInt(usage?.amount ?? 0),
    held: BigInt(credit?.held ?? 0),
    attempts: sum?.attempts ?? 0,
    bodiless,
    kept: (await records.counts()).get('default') ?? 0,
    integrity,
  }
  await records.close()
  return told
}
