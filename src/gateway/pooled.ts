import { choose, type Member, type Pool, release, report, waitOf } from './balance/pool.ts'
import type { Exchange } from './exchange.ts'
import { GatewayFault } from './fault.ts'

/** What a key is called for a request that any key of a pool may serve. */
export const ANY_OF_A_POOL = '*'

/** A key or deployment that a request was given out of several. */
export interface Place {
  pool: Pool
  member: Member
  /** What the members are called that this request has asked before. */
  tried: Set<Member>
  reported?: boolean
}

/**
 * Gives a request the next key or deployment of its provider, other than those that it has asked already.
 * @throws GatewayFault 503 when none of them may be asked
 */
export function takePlace(exchange: Exchange): void {
  const { settings, gatewayId, place } = exchange
  const reach = exchange.target!.reach.whole ?? exchange.target!.reach
  const {
    provider,
    members,
    settings: { strategy },
  } = reach
  const pool = settings.pools.of(
    `${gatewayId}/${provider.slug}`,
    members!.map(({ id }) => id),
    strategy!,
  )
  const now = performance.now()
  const tried = place?.tried ?? new Set<Member>()
  // One that failed is better than none.
  const member = choose(pool, now, Math.random, tried) ?? (tried.size ? choose(pool, now, Math.random) : undefined)
  if (!member) throw allOpen(provider.title, waitOf(pool, now))
  tried.add(member)
  const chosen = members!.find(({ id }) => id === member.id)!
  exchange.place = { pool, member, tried }
  exchange.target = { ...exchange.target!, reach: chosen.reach }
  exchange.credential = chosen.key
  exchange.key = { of: 'house', alias: chosen.alias }
}

/** How the call began: whoever failed is passed over for a while. */
export function tellPlace(
  { place, outcome }: Exchange,
  began: { status?: number; firstByteMs?: number; retryAfterMs?: number },
): void {
  if (!place || place.reported) return
  place.reported = true
  const ok = began.status !== undefined && began.status < 400
  report(place.pool, place.member, { ok, ...began, ...(outcome.left && { left: true }) }, performance.now())
}

/** The request is over. */
export function leavePlace(exchange: Exchange): void {
  const { place } = exchange
  if (!place) return
  tellPlace(exchange, {})
  release(place.member)
}

const allOpen = (title: string, wait: number) =>
  new GatewayFault({
    status: 503,
    number: 2005,
    code: 'all_members_down',
    message: `no answer from ${title}: all of its keys and deployments have failed of late and are left alone for a while`,
    retryAfter: Math.max(1, Math.ceil(wait / 1_000)),
  })
