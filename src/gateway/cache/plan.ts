import type { Exchange } from '../exchange.ts'
import { type AnswerQuestion, answerKey, type CredentialIdentity, namedAnswerKey } from './key.ts'

/** How an answer is kept. */
export interface CachePlan {
  key: string
  /** Seconds. */
  ttl: number
  /** What the key was made of, beside what the exchange knows; nothing where the client named it. For `explain`. */
  made?: Pick<Question, 'path' | 'surface' | 'headers'>
}

/** Of a request with a key of its own, where nobody says how long (contract section 4). */
const NAMED_TTL_S = 300
/** Larger requests are not kept (contract section 4). */
const LONGEST_REQUEST = 25 * 1024 * 1024

/** What of a request decides over its answer, beside what the exchange knows. */
export interface Question {
  /** Of the endpoint, with its query, without a token of ours. */
  path: string
  surface: string
  headers?: AnswerQuestion['headers']
  body: string | Uint8Array | undefined
}

/** Whether this request may be answered from the cache, and is kept there; the request goes before the gateway. */
export function asksForCache({ controls, gateway }: Exchange): boolean {
  if (controls.skipCache || controls.cacheTtl === 0) return false
  return controls.cacheTtl !== undefined || controls.cacheKey !== undefined || (gateway.cache_ttl ?? 0) > 0
}

/** The key of the answer and how long it is kept; nothing for a request that is too large. */
export function planFor(exchange: Exchange, { path, surface, headers, body }: Question): CachePlan | undefined {
  const { controls, gateway, gatewayId, target } = exchange
  if (body !== undefined && body.length > LONGEST_REQUEST) return undefined
  const ttl = controls.cacheTtl ?? (gateway.cache_ttl || NAMED_TTL_S)
  if (controls.cacheKey !== undefined) return { key: namedAnswerKey(gatewayId, controls.cacheKey), ttl }
  const { reach, model } = target!
  const key = answerKey({
    gateway: gatewayId,
    provider: reach.revision === undefined ? reach.provider.slug : `${reach.provider.slug} ${reach.revision}`,
    method: 'POST',
    path,
    model,
    credential: identityOf(exchange),
    surface,
    ...(headers && { headers }),
    body,
  })
  return { key, ttl, made: { path, surface, ...(headers && { headers }) } }
}

function identityOf({ key, callerKey }: Exchange): CredentialIdentity {
  if (!key) return { kind: 'none' }
  if (key.of === 'caller') return { kind: 'own', key: callerKey! }
  return key.of === 'store'
    ? { kind: 'stored', id: key.id, modified: key.modified }
    : { kind: 'declared', alias: key.alias }
}
