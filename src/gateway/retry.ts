import type { Backoff } from './controls.ts'
import type { Exchange } from './exchange.ts'
import { GatewayFault } from './fault.ts'
import { fresh } from './fresh.ts'
import { record } from './record.ts'
import { refuse } from './refuse.ts'
import { watchClient } from './watch-client.ts'

/** How often a provider is asked, and how long is waited between (contract 6.1). */
export interface Retries {
  attempts: number
  /** Milliseconds before the second attempt. */
  delay: number
  backoff: Backoff
}

const USUAL_DELAY_MS = 500
/** A provider that asks for a longer pause than this is not waited for: its answer goes to the client. */
const LONGEST_PAUSE_MS = 60_000
/** Statuses below 500 that say "not now" rather than "not so". */
const NOT_NOW = new Set([408, 409, 429])

/** What the request says, else the gateway. */
export function retriesOf({ controls, gateway }: Pick<Exchange, 'controls' | 'gateway'>): Retries {
  return {
    attempts: controls.maxAttempts ?? gateway.retry_max_attempts ?? 1,
    delay: controls.retryDelay ?? gateway.retry_delay ?? USUAL_DELAY_MS,
    backoff: controls.backoff ?? gateway.retry_backoff ?? 'exponential',
  }
}

/**
 * Asks a provider until it answers well, or as often as is allowed. Each attempt has an exchange, an id and a line of
 * its own. Nothing of an answer has gone to the client while it can still be exchanged for another: streams are held
 * until their first words.
 * @param attempt asks once; what it throws or answers is that attempt's
 * @throws GatewayFault what the last attempt threw
 */
export function withRetries<E extends Exchange>(
  exchange: E,
  attempt: (one: E) => Promise<Response>,
): Promise<Response> {
  const retries = retriesOf(exchange)
  if (retries.attempts > 1) return askAgain(exchange, attempt, retries)
  // The usual case, without a step of its own on the way.
  return attempt(exchange).catch(fault => {
    refuse(exchange, fault)
    throw fault
  })
}

async function askAgain<E extends Exchange>(
  exchange: E,
  attempt: (one: E) => Promise<Response>,
  retries: Retries,
): Promise<Response> {
  for (let number = 1; ; number++) {
    const last = number >= retries.attempts
    const one = number === 1 ? exchange : another(exchange, number, last)
    one.canTryAgain = !last
    let response: Response
    try {
      response = await attempt(one)
    } catch (fault) {
      refuse(one, fault)
      if (last || !(fault instanceof GatewayFault && isOutage(fault))) throw fault
      await paused(exchange, pauseBefore(number, retries))
      if (exchange.request.signal.aborted) throw fault
      continue
    }
    if (last || !worthAnother(response)) return response
    const pause = pauseBefore(number, retries, askedPause(response.headers))
    if (pause > LONGEST_PAUSE_MS) return response
    await paused(exchange, pause)
    if (exchange.request.signal.aborted) return response
    await letGo(one, response)
  }
}

/** A further attempt at the same. */
function another<E extends Exchange>(exchange: E, number: number, last: boolean): E {
  const { controls, kept, cacheable } = exchange
  const changes: Partial<Exchange> = {
    attempt: number,
    kept: kept?.another(),
    cacheable,
    // Cloudflare waits for the last attempt however long it takes, unless somebody else can be asked (contract 6.1).
    ...(last && !exchange.hasFallback && { controls: { ...controls, requestTimeout: undefined } }),
  }
  const next = fresh(exchange, changes as Partial<E>)
  watchClient(next)
  return next
}

/** No answer came. A refused credential is not asked for twice (contract 2.3), and our own refusals are final. */
const isOutage = (fault: GatewayFault) => fault.number === 2005

/** The provider's own word counts, then its status. */
function worthAnother(response: Response): boolean {
  const { status } = response
  // Headers are only looked at where there is need: asking for them costs as much as all of the rest.
  if (status < 400) return false
  const word = response.headers.get('x-should-retry')
  if (word === 'true' || word === 'false') return word === 'true'
  return status >= 500 || NOT_NOW.has(status)
}

/** Milliseconds that the provider asks for, in either of its headers. */
function askedPause(headers: Headers): number {
  const milliseconds = Number(headers.get('retry-after-ms') ?? Number.NaN)
  if (milliseconds >= 0) return milliseconds
  const said = headers.get('retry-after')
  if (said === null) return 0
  const seconds = Number(said)
  const asked = Number.isNaN(seconds) ? Date.parse(said) - Date.now() : seconds * 1_000
  return Number.isNaN(asked) || asked < 0 ? 0 : asked
}

/**
 * Milliseconds to wait after an attempt, never less than what the provider asked for. A quarter at random comes on top,
 * so that many who failed together do not come again together.
 * @param number of the attempt that failed, from 1
 */
export function pauseBefore(number: number, { delay, backoff }: Retries, asked = 0, random = Math.random): number {
  const grown = backoff === 'constant' ? delay : backoff === 'linear' ? delay * number : delay * 2 ** (number - 1)
  return Math.max(Math.min(grown, LONGEST_PAUSE_MS) * (1 + random() / 4), asked)
}

/** Waits, unless the client leaves. */
function paused({ request }: Exchange, milliseconds: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, milliseconds)
  const leave = () => {
    clearTimeout(timer)
    resolve()
  }
  request.signal.addEventListener('abort', leave, { once: true })
  return promise.finally(() => request.signal.removeEventListener('abort', leave))
}

/** Nobody will read this answer; that is not the client's leaving. */
export async function letGo(exchange: Exchange, { status, body }: Response): Promise<void> {
  record(exchange, status)
  await body?.cancel()
}
