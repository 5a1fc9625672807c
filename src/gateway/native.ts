import { watchOf } from '../dialects/watched/index.ts'
import { CredentialFault, jsonCredential, type Outgoing } from '../providers/auth/auth.ts'
import { credentialIn, isSignature } from '../providers/auth/credential.ts'
import { type NativeAddress, NativeFault } from '../providers/native/address.ts'
import type { Reach } from '../providers/registry.ts'
import { send } from './attempt.ts'
import type { Exchange } from './exchange.ts'
import { credentialRefused, GatewayFault } from './fault.ts'
import { HOP_BY_HOP, hopsNamed } from './headers.ts'
import { answerNative } from './native-answer.ts'
import { placeOf } from './place.ts'

/** A request in a provider's own format. */
export interface NativeCall {
  method: string
  /** The path behind the provider's slug, as it was escaped, without a leading slash. */
  path: string
  /** With its question mark, or empty. */
  query: string
  headers: Headers | Record<string, string>
  body?: Uint8Array | string
}

/** Headers of one connection, of an earlier hop, or of a size and encoding that are set anew: they never go upstream. */
const NOT_SENT = new Set([
  'host',
  ...HOP_BY_HOP,
  'content-length',
  'expect',
  'accept-encoding',
  'cookie',
  'x-fal-target-url',
])

/**
 * Sends a request to its provider as it is, and its answer back as it is: status, headers and bytes. Only the
 * credential is put in its place, and what belongs to the gateway is taken out (contract sections 1.5, 2.2, 3).
 * @throws GatewayFault when there is no answer to pass on
 */
export async function passNative(exchange: Exchange, call: NativeCall): Promise<Response> {
  const { reach } = exchange.target!
  const own = exchange.callerKey
  // A key that the caller brought stands in its place already, or is a signature over the request as it is; only a
  // service account has to be exchanged for a token first (contract table 1.5).
  if (own !== undefined && jsonCredential(own) === undefined) exchange.credential = undefined
  const address = addressOf(exchange, reach, call)
  if (address.model) exchange.target = { reach, model: address.model }
  // Most have no query and only headers that are known: then nothing is waited for.
  const given = address.query === undefined ? call.query : asked(address.query)
  const query = address.query === undefined && given ? await withoutOurs(exchange, given) : given
  const headers = forwarded(exchange, call.headers)
  const outgoing: Outgoing = {
    url: address.url + query,
    method: call.method,
    headers: headers instanceof Promise ? await headers : headers,
    body: call.body,
    region: address.region,
  }
  if (address.bearerAs !== undefined) moveBearer(outgoing.headers, address.bearerAs)
  for (const name in reach.settings.headers) outgoing.headers[name.toLowerCase()] = reach.settings.headers[name]!
  exchange.outcome.format = address.watch
  const watch = address.watch && call.method === 'POST' ? watchOf(address.watch) : undefined
  return answerNative(exchange, await send(exchange, reach, outgoing, address.auth), watch)
}

/**
 * Where a request in a provider's own format goes.
 * @throws GatewayFault 400/2008 when that is nowhere
 */
export function addressOf(
  exchange: Exchange,
  reach: Reach,
  { path, headers, query }: Pick<NativeCall, 'path' | 'headers' | 'query'>,
  native = reach.provider.native,
): NativeAddress {
  const { provider } = reach
  const place = placeOf(reach, '', false, exchange.credential)
  try {
    const { credential } = exchange
    return native(path, { ...place, headers: asHeaders(headers), credential, query: query.slice(1) })
  } catch (fault) {
    if (fault instanceof CredentialFault) throw credentialRefused(provider.title, fault.message)
    if (!(fault instanceof NativeFault)) throw fault
    throw new GatewayFault({
      status: 400,
      number: 2008,
      code: 'invalid_address',
      message: `${provider.title}: ${fault.message}`,
    })
  }
}

const asHeaders = (given: NativeCall['headers']) => (given instanceof Headers ? given : new Headers(given))

/** A key that came as a bearer, where the provider looks for it in a header of its own. */
function moveBearer(headers: Record<string, string>, to: string): void {
  const [, key] = /^bearer +(\S+)$/i.exec(headers.authorization ?? '') ?? []
  if (key === undefined) return
  delete headers.authorization
  headers[to] ??= key
}

/** What goes upstream of the client's headers: nothing of one connection, and nothing of ours. */
export function forwarded(
  exchange: Exchange,
  given: NativeCall['headers'],
): Record<string, string> | Promise<Record<string, string>> {
  const headers: Record<string, string> = {}
  const source = asHeaders(given)
  const hop = hopsNamed(source)
  source.forEach((value, name) => {
    if (NOT_SENT.has(name) || name.startsWith('cf-') || hop?.has(name) || exchange.withheld?.includes(name)) return
    headers[name] = value
  })
  const looking: Promise<void>[] = []
  for (const name of KEY_HEADERS) {
    if (headers[name] === undefined) continue
    const ours = isOurs(exchange, credentialIn(headers[name]))
    if (ours instanceof Promise)
      looking.push(
        ours.then(found => {
          if (found) delete headers[name]
        }),
      )
    else if (ours) delete headers[name]
  }
  // A signature may cover what the client said; what comes packed all the same is unpacked.
  const accepted = isSignature(headers.authorization ?? '') ? source.get('accept-encoding') : 'identity'
  if (accepted !== null) headers['accept-encoding'] = accepted
  return looking.length ? Promise.all(looking).then(() => headers) : headers
}

/** Where keys of some provider travel: our token may stand there although this provider would not look. */
const KEY_HEADERS = ['authorization', 'x-api-key', 'api-key', 'x-goog-api-key', 'xi-api-key', 'token', 'x-auth-token']
const KEY_PARAMETERS = new Set(['key', 'api_key', 'api-key', 'apikey', 'token', 'access_token'])

/** Whether it is a token of ours, or was one. */
export function isOurs({ callerKey, settings }: Exchange, credential: string): boolean | Promise<boolean> {
  // That one was looked up before.
  if (credential === callerKey) return false
  if (credential.startsWith('pst_')) return true
  const found = settings.tokens.find(credential)
  return found instanceof Promise ? found.then(caller => caller !== undefined) : found !== undefined
}

export const asked = (query: string) => (query ? `?${query}` : '')

/** The query without a parameter that holds our token; otherwise byte for byte. */
export async function withoutOurs(exchange: Exchange, query: string): Promise<string> {
  if (!query) return query
  const pairs = query.slice(1).split('&')
  const kept: string[] = []
  for (const pair of pairs) {
    const { name, value } = parameterOf(pair)
    const withheld = name === exchange.keyPlaces.query && exchange.withheld?.includes(`?${name}`)
    if (!withheld && !(KEY_PARAMETERS.has(name) && (await isOurs(exchange, credentialIn(value))))) kept.push(pair)
  }
  if (kept.length === pairs.length) return query
  return kept.length ? `?${kept.join('&')}` : ''
}

/** As a form has it; what is no proper escape stays as it is. */
function parameterOf(pair: string): { name: string; value: string } {
  const [[name, value] = ['', '']] = new URLSearchParams(pair)
  return { name, value }
}
