import { type AuthContext, type Authenticator, CredentialFault, type Outgoing } from '../providers/auth/auth.ts'
import type { Reach } from '../providers/registry.ts'
import { withoutSilence } from '../stream/idle.ts'
import type { ChatExchange, Exchange } from './exchange.ts'
import { credentialRefused, type GatewayFault, upstreamFault } from './fault.ts'
import { addressOf } from './place.ts'
import { tellPlace } from './pooled.ts'
import { carryTrace, hasTrace } from './trace-context.ts'
import { type UpstreamAnswer, upstream } from './upstream.ts'

/** A timer of more than 2^31 - 1 ms would go off at once. */
const LONGEST_MS = 2_147_483_647
/** A token service answers at once or not at all. */
const TOKEN_EXCHANGE_MS = 10_000

/**
 * Sends the written request and waits for the status line.
 * @throws GatewayFault 502 when the provider cannot be reached or hangs up, 504 when it takes longer than allowed
 */
export function attempt(exchange: ChatExchange): Promise<UpstreamAnswer> {
  const { reach } = exchange.target!
  const { endpoint, place, body, headers } = exchange.written!
  const outgoing: Outgoing = {
    url: addressOf(reach, endpoint.path, place),
    method: 'POST',
    // One decoder for the life of the stream is best none at all (T16).
    headers: { 'content-type': 'application/json', 'accept-encoding': 'identity' },
    body,
    region: place.region ?? reach.provider.defaultRegion,
  }
  if (endpoint.headers) Object.assign(outgoing.headers, endpoint.headers)
  if (headers) Object.assign(outgoing.headers, headers)
  addHeaders(exchange, reach, outgoing.headers)
  return send(exchange, reach, outgoing)
}

/**
 * Puts the credential on a request and sends it.
 * @param auth how to authenticate, where the address has a way of its own
 * @param call how to send it, where that is no plain request
 * @throws GatewayFault as {@link attempt} does
 */
export async function send(
  exchange: Exchange,
  reach: Reach,
  outgoing: Outgoing,
  auth: Authenticator = reach.provider.auth,
  call: typeof upstream = upstream,
): Promise<UpstreamAnswer> {
  if (hasTrace(exchange)) carryTrace(exchange, outgoing)
  if (exchange.credential) {
    const pending = authorize(exchange, reach, outgoing, exchange.credential, auth)
    if (pending) await pending
  }
  const patience = patienceOf(exchange)
  let late = false
  const timer = patience
    ? setTimeout(() => {
        late = true
        exchange.abort.abort()
      }, patience)
    : undefined
  try {
    const answer = await call(outgoing, exchange.abort.signal)
    exchange.outcome.firstByte = performance.now()
    if (exchange.place) tellPlace(exchange, beganWith(exchange, answer))
    const silence = exchange.gateway.stream_idle_timeout
    return silence ? guarded(answer, silence * 1_000) : answer
  } catch (cause) {
    const { title } = reach.provider
    throw late ? upstreamFault('timeout', title, `not a byte within ${patience} ms`) : failureOf(cause, title)
  } finally {
    clearTimeout(timer)
  }
}

/** How the call began, for who chooses the next. */
function beganWith({ outcome, started }: Exchange, { status, headers }: UpstreamAnswer) {
  const seconds = Number(headers.get('retry-after') ?? Number.NaN)
  return {
    status,
    firstByteMs: outcome.firstByte! - started,
    ...(seconds > 0 && { retryAfterMs: seconds * 1_000 }),
  }
}

/** An answer whose stream may not be silent for longer than that. */
function guarded(answer: UpstreamAnswer, milliseconds: number): UpstreamAnswer {
  const { status, headers, body } = answer
  return {
    status,
    headers,
    body: body && withoutSilence(body, milliseconds),
    bytes: () => answer.bytes(),
  }
}

/** What the client says to this provider in headers, and what the operator adds for it. */
function addHeaders(exchange: ChatExchange, { provider, settings }: Reach, headers: Record<string, string>): void {
  for (const name of provider.passes) {
    const value = exchange.headers.get(name)
    if (value !== null) headers[name] = value
  }
  for (const name in settings.headers) headers[name.toLowerCase()] = settings.headers[name]!
}

const forOperator: AuthContext = {
  fetch: (url, init) => fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(TOKEN_EXCHANGE_MS) }),
}
const forCaller: AuthContext = { ...forOperator, fromCaller: true }

/** Only a few ways of authentication have to wait for anything. */
function authorize(
  exchange: Exchange,
  { provider }: Reach,
  outgoing: Outgoing,
  credential: string,
  auth: Authenticator,
): Promise<void> | undefined {
  const refused = (fault: unknown): never => {
    const message = fault instanceof CredentialFault ? fault.message : 'its token service could not be reached'
    throw credentialRefused(provider.title, message)
  }
  try {
    const context = exchange.callerKey === undefined ? forOperator : forCaller
    return auth(outgoing, credential, context)?.catch(refused)
  } catch (fault) {
    return refused(fault)
  }
}

/** Milliseconds to the first byte: the request's own header, then the file's (contract 3.1). */
function patienceOf(exchange: Exchange): number {
  return (
    exchange.controls.requestTimeout ?? Math.min(exchange.settings.config.server.first_byte_timeout * 1_000, LONGEST_MS)
  )
}

/** What a failed call was, in words: never the address, which may hold what should not be shown. */
function failureOf(cause: unknown, title: string): GatewayFault {
  const code = (cause as { code?: string } | undefined)?.code ?? ''
  if (/refused/i.test(code)) return upstreamFault('unreachable', title, 'it refused the connection')
  if (/ENOTFOUND|EAI_AGAIN|DNS|Resolve/i.test(code))
    return upstreamFault('unreachable', title, 'its host name is not known')
  if (/CERT|TLS|SSL|SELF_SIGNED|VERIFY/i.test(code))
    return upstreamFault('unreachable', title, 'its certificate was not accepted')
  if (code === 'EPROTO') return upstreamFault('unreachable', title, 'it does not speak TLS there')
  if (code === 'ERR_HTTP_ANSWER') return upstreamFault('closed', title, 'what it sent is no HTTP/1.1 answer')
  if (code === 'ERR_CONTENT_ENCODING')
    return upstreamFault('closed', title, 'its answer is compressed in a way that is not known')
  if (code === 'ERR_INVALID_HEADER')
    return upstreamFault('closed', title, 'a header that it was to be sent has a character that no header may have')
  if (/timeout/i.test(code)) return upstreamFault('unreachable', title, 'the connection timed out')
  return upstreamFault('closed', title, 'it closed the connection without an answer')
}
