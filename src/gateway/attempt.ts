import type { Outgoing } from '../providers/auth/auth.ts'
import { CredentialFault } from '../providers/auth/auth.ts'
import type { Exchange } from './exchange.ts'
import { GatewayFault, upstreamFault } from './fault.ts'
import { addressOf, placeOf } from './place.ts'
import { type UpstreamAnswer, upstream } from './upstream.ts'

/** How long a provider may take for its status line, where neither the file nor the request says otherwise. */
const TOKEN_EXCHANGE_MS = 10_000

/**
 * Sends the written request and waits for the status line.
 * @throws GatewayFault 502 when the provider cannot be reached or hangs up, 504 when it takes longer than allowed
 */
export async function attempt(exchange: Exchange): Promise<UpstreamAnswer> {
  const { reach, model } = exchange.target!
  const { provider, settings } = reach
  const { endpoint, body, headers } = exchange.written!
  const place = placeOf(reach, model, exchange.stream, exchange.credential)
  const outgoing: Outgoing = {
    url: addressOf(reach, endpoint.path, place),
    method: 'POST',
    // One decoder for the life of the stream is best none at all (T16).
    headers: { 'content-type': 'application/json', 'accept-encoding': 'identity', ...endpoint.headers, ...headers },
    body,
  }
  passOn(exchange.request.headers, outgoing.headers)
  for (const name in settings.headers) outgoing.headers[name.toLowerCase()] = settings.headers[name]!
  if (exchange.credential) await authorize(exchange, outgoing, exchange.credential)

  const patience = patienceOf(exchange)
  let late = false
  const timer = patience
    ? setTimeout(() => {
        late = true
        exchange.abort.abort()
      }, patience)
    : undefined
  try {
    const answer = await upstream({ ...outgoing, signal: exchange.abort.signal })
    exchange.outcome.firstByte = performance.now()
    return answer
  } catch (cause) {
    if (late) throw upstreamFault('timeout', provider.title, `not a byte within ${patience} ms`)
    throw upstreamFault(...describe(cause, provider.title))
  } finally {
    clearTimeout(timer)
  }
}

async function authorize(exchange: Exchange, outgoing: Outgoing, credential: string): Promise<void> {
  const { provider } = exchange.target!.reach
  try {
    const pending = provider.auth(outgoing, credential, {
      fetch: (url, init) => fetch(url, { ...init, signal: AbortSignal.timeout(TOKEN_EXCHANGE_MS) }),
    })
    if (pending) await pending
  } catch (fault) {
    const message = fault instanceof CredentialFault ? fault.message : 'its token service could not be reached'
    throw new GatewayFault({ status: 502, code: 'provider_credential', message: `${provider.title}: ${message}` })
  }
}

/** Headers by which clients choose an organisation or name themselves; they mean nothing to other vendors. */
const PASSED = ['openai-organization', 'openai-project', 'openai-beta', 'x-title', 'http-referer', 'x-session-affinity']

function passOn(from: Headers, to: Record<string, string>): void {
  for (const name of PASSED) {
    const value = from.get(name)
    if (value !== null) to[name] = value
  }
}

/** Milliseconds to the first byte: the request's own header, then the file's (contract 3.1). */
function patienceOf(exchange: Exchange): number {
  const asked = Number(exchange.request.headers.get('cf-aig-request-timeout') ?? Number.NaN)
  return Number.isFinite(asked) && asked > 0 ? asked : exchange.settings.config.server.first_byte_timeout * 1_000
}

/** What a failed call was, in words: never the address, which may hold what should not be shown. */
function describe(cause: unknown, title: string): ['unreachable' | 'closed', string, string] {
  const code = (cause as { code?: string } | undefined)?.code ?? ''
  if (/refused/i.test(code)) return ['unreachable', title, 'it refused the connection']
  if (/ENOTFOUND|EAI_AGAIN|DNS|Resolve/i.test(code)) return ['unreachable', title, 'its host name is not known']
  if (/CERT|TLS|SSL|SELF_SIGNED/i.test(code)) return ['unreachable', title, 'its certificate was not accepted']
  if (/timeout/i.test(code)) return ['unreachable', title, 'the connection timed out']
  return ['closed', title, 'it closed the connection without an answer']
}
