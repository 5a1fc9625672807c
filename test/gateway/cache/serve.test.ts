import { expect, test } from 'bun:test'
import { Flights } from '../../../src/gateway/cache/coalesce.ts'
import { throughCache } from '../../../src/gateway/cache/serve.ts'
import type { Exchange } from '../../../src/gateway/exchange.ts'
import { upstreamFault } from '../../../src/gateway/fault.ts'
import { deniedByPolicy } from '../../../src/gateway/policies/refusals.ts'

const settings = { flights: new Flights(), live: { cache: { get: () => undefined, put: () => {} } } }

const exchangeOf = (name: string) =>
  ({
    caller: { name },
    settings,
    gateway: { cache_coalesce: true },
    request: new Request('http://localhost'),
    headers: new Headers(),
    abort: new AbortController(),
    shared: {},
    outcome: {},
  }) as unknown as Exchange

/** What became of each caller: the answer, or the status of a refusal. */
const all = (names: string[], ask: (exchange: Exchange) => Promise<Response>) =>
  Promise.all(
    names.map(name =>
      throughCache(exchangeOf(name), { key: 'k', ttl: 60 }, ask).then(
        response => response.text(),
        (fault: { status: number }) => fault.status,
      ),
    ),
  )

test('what is refused to one caller may be allowed to those who share its call', async () => {
  const ask = async ({ caller }: Exchange) => {
    await Bun.sleep(20)
    if (caller!.name === 'phone') throw deniedByPolicy()
    return new Response('Yes.')
  }
  expect(await all(['phone', 'phone', 'phone', 'laptop'], ask)).toEqual([403, 403, 403, 'Yes.'])
})

test('where nobody answered, those who share the call do not all ask again', async () => {
  let asked = 0
  const ask = async () => {
    asked++
    await Bun.sleep(20)
    throw upstreamFault('closed', 'OpenAI', 'it hung up')
  }
  expect(await all(['a', 'b', 'c', 'd'], ask)).toEqual([502, 502, 502, 502])
  expect(asked).toBe(2)
})
