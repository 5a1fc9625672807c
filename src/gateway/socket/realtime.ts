import { jsonCredential, type Outgoing } from '../../providers/auth/auth.ts'
import type { Reach } from '../../providers/registry.ts'
import { send } from '../attempt.ts'
import { chooseCredential } from '../credential.ts'
import type { Exchange, KeyPlaces } from '../exchange.ts'
import { passedHeaders } from '../headers.ts'
import { type Asked, claimLimits, isLimited } from '../limits/index.ts'
import { addressOf, asked, forwarded, isOurs, withoutOurs } from '../native.ts'
import { answerNative } from '../native-answer.ts'
import { tell } from '../tell.ts'
import { type Dialled, dial } from '../transport/websocket.ts'
import { credentialsIn, isToken, type OfferedKey } from './protocols.ts'
import { Relay } from './relay.ts'

/** A client's wish for a provider's own socket. */
export interface RealtimeCall {
  /** The path behind the provider's slug, as it was escaped, without a leading slash; empty for the usual one. */
  path: string
  /** With its question mark, or empty. */
  query: string
  headers: Headers
  protocols: readonly string[]
  /** A provider's key among the protocols. */
  offered?: OfferedKey
}

/** A provider's socket that is open, for a client's that is not yet. */
export interface Opened {
  relay: Relay
  /** For the answer that opens the client's: the subprotocol, and what the provider said. */
  headers: Headers
}

/**
 * A header that no request has, in which a key among the subprotocols is looked for like one in a header. It never goes
 * upstream, for the handshake is written anew there.
 */
export const OFFERED_KEY = 'sec-websocket-offered-key'

/** Where a socket's key may stand: as for a request, in more parameters, and among the subprotocols. */
export function keyPlacesOf({ provider }: Reach, query: string): KeyPlaces {
  const names = [provider.keyQuery, ...(provider.realtime?.keyQueries ?? [])].filter(name => name !== undefined)
  const asked = names.length > 1 ? new URLSearchParams(query) : undefined
  return {
    headers: [...provider.keyIn, OFFERED_KEY],
    query: names.find(name => asked?.has(name)) ?? names[0],
  }
}

/**
 * Opens a provider's socket for a client, whose own is opened after it: what the provider refuses is an answer still.
 * @returns the provider's refusal as it came, or its socket
 * @throws GatewayFault as {@link send} and {@link claimLimits} do
 */
export async function openRealtime(exchange: Exchange, call: RealtimeCall): Promise<Response | Opened> {
  const leave = () => {
    exchange.outcome.left = true
    exchange.abort.abort()
  }
  const { signal } = exchange.request
  signal.addEventListener('abort', leave)
  try {
    await chooseCredential(exchange)
    return await open(exchange, call)
  } finally {
    signal.removeEventListener('abort', leave)
  }
}

async function open(exchange: Exchange, call: RealtimeCall): Promise<Response | Opened> {
  const { reach } = exchange.target!
  const { realtime } = reach.provider
  const { callerKey } = exchange
  const { offered } = call
  // What the caller brought stands in its place already, but for a service account, and for a form of our own.
  const isElsewhere = offered?.protocol.alsoInHeader === true && offered.key === callerKey
  if (callerKey !== undefined && jsonCredential(callerKey) === undefined && !isElsewhere)
    exchange.credential = undefined
  const query = await withoutOurs(exchange, call.query)
  const path = call.path || (realtime?.path ?? '')
  const address = addressOf(exchange, reach, { path, query, headers: call.headers }, realtime?.native)
  const model = address.model ?? new URLSearchParams(query).get('model')
  if (model) exchange.target = { reach, model }
  if (isLimited(exchange)) await claimLimits(exchange, NOTHING_SAID)
  const protocols = await protocolsFor(exchange, call)
  const outgoing: Outgoing = {
    url: address.url + (address.query === undefined ? query : asked(address.query)),
    method: 'GET',
    headers: await headersFor(exchange, call.headers),
    region: address.region,
  }
  if (protocols.length) outgoing.headers['sec-websocket-protocol'] = protocols.join(', ')
  for (const name in reach.settings.headers) outgoing.headers[name.toLowerCase()] = reach.settings.headers[name]!
  let dialled: Dialled | undefined
  const came = await send(exchange, reach, outgoing, address.auth ?? realtime?.auth, async (outgoing, signal) => {
    dialled = await dial(outgoing, signal)
    return dialled
  })
  const socket = dialled?.socket
  if (!socket) {
    const refusal = await answerNative(exchange, came)
    tell(exchange, refusal.headers)
    return refusal
  }
  const headers = passedHeaders(came.headers)
  for (const name of HANDSHAKE) headers.delete(name)
  tell(exchange, headers)
  const protocol = came.headers.get('sec-websocket-protocol') ?? instead(call)
  if (protocol !== undefined) headers.set('sec-websocket-protocol', protocol)
  return { relay: new Relay(exchange, socket), headers }
}

/** What is said over a socket is not read: neither what it asks for, nor a model that only its messages name. */
const NOTHING_SAID: Asked = { body: () => undefined, length: 0, isOpaque: true }

const HANDSHAKE = [
  'sec-websocket-accept',
  'sec-websocket-protocol',
  'sec-websocket-extensions',
  'sec-websocket-version',
]

/**
 * A browser that offered anything gives up when nothing of it is chosen; where the provider chooses nothing, it is what
 * was for us, or what carried a key.
 */
function instead({ protocols, offered }: RealtimeCall): string | undefined {
  return protocols.find(isToken) ?? offered?.items[0]
}

async function headersFor(exchange: Exchange, given: Headers): Promise<Record<string, string>> {
  const headers = await forwarded(exchange, given)
  for (const name in headers) if (name.startsWith('sec-websocket-')) delete headers[name]
  return headers
}

/** What the provider is offered: all but what shows a token of ours, or stands for a key that is none. */
async function protocolsFor(exchange: Exchange, { protocols, offered }: RealtimeCall): Promise<string[]> {
  const withheld = exchange.withheld?.includes(OFFERED_KEY) ? offered?.items : undefined
  const kept: string[] = []
  for (const item of protocols) {
    if (isToken(item) || withheld?.includes(item)) continue
    let ours = false
    for (const credential of credentialsIn(item)) ours ||= await isOurs(exchange, credential)
    if (!ours) kept.push(item)
  }
  return kept
}
