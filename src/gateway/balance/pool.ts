import { type Health, type HealthSettings, mayTake, newHealth, note, type Outcome, stateOf, take } from './health.ts'

/**
 * How the next of several keys or deployments is chosen. round-robin: one after another; least-busy: the one with the
 * fewest requests in flight; fastest: the one with the shortest time to the first byte, times the requests that are
 * there already, so that not all run to the same.
 */
export const strategies = ['round-robin', 'least-busy', 'fastest'] as const
export type Strategy = (typeof strategies)[number]

/** A key or a deployment, by a name that stays the same from one reading of the configuration to the next. */
export interface Member {
  readonly id: string
  readonly health: Health
}

/** How often `fastest` asks another one, to learn whether it has become faster. */
const CURIOSITY = 0.05

/** Several members of which any will do. All times are milliseconds and passed in, so that nothing here keeps a clock. */
export interface Pool {
  readonly members: readonly Member[]
  readonly strategy: Strategy
  readonly settings: HealthSettings
  /** Where the next turn begins. */
  turn: number
}

/** @param before a pool whose members with the same id keep what is known of them */
export function poolOf(ids: readonly string[], strategy: Strategy, settings: HealthSettings, before?: Pool): Pool {
  const known = new Map(before?.members.map(member => [member.id, member]))
  const members = ids.map(id => known.get(id) ?? { id, health: newHealth() })
  return { members, strategy, settings, turn: before?.turn ?? 0 }
}

/**
 * Chooses a member and counts one request in flight there. In any case {@link report} has to follow when it has begun to
 * answer or has failed, and {@link release} when it is over; each once.
 *
 * Those that cool down are passed over while there is another; those whose circuit is open are never taken, nor those
 * on trial.
 *
 * @param random from 0 to below 1
 * @param tried members that this request has asked already
 * @returns nothing when none may be asked
 */
export function choose(pool: Pool, now: number, random: () => number, tried?: ReadonlySet<Member>): Member | undefined {
  const { members, strategy } = pool
  const count = members.length
  const curious = strategy === 'fastest' && count > 1 && random() < CURIOSITY
  let best: Member | undefined
  let least = Number.POSITIVE_INFINITY
  let cooling: Member | undefined
  let at = 0
  for (let offset = 0; offset < count; offset++) {
    const place = (pool.turn + offset) % count
    const member = members[place]!
    const { health } = member
    if (tried?.has(member) || !mayTake(health, now)) continue
    if (health.coolUntil > now) {
      if (!cooling || health.coolUntil < cooling.health.coolUntil) cooling = member
      continue
    }
    // Of several that cost the same, the one whose turn it is comes first.
    const cost = curious ? 0 : costOf(strategy, health)
    if (cost >= least) continue
    best = member
    least = cost
    at = place
  }
  if (best) pool.turn = (at + 1) % count
  const chosen = best ?? cooling
  if (chosen) take(chosen.health, now)
  return chosen
}

/** The lowest is chosen. */
function costOf(strategy: Strategy, { inFlight, firstByteMs }: Health): number {
  if (strategy === 'round-robin') return 0
  if (strategy === 'least-busy') return inFlight
  // One that was never measured is tried first, but not by all at once.
  return firstByteMs === undefined ? (inFlight ? UNMEASURED_MS * inFlight : 0) : (firstByteMs + 1) * (inFlight + 1)
}

const UNMEASURED_MS = 1_000

/** Says how a request to a member began, or failed: at the first bytes, so that a long answer is not waited for. */
export function report(pool: Pool, member: Member, outcome: Outcome, now: number): void {
  note(member.health, outcome, now, pool.settings)
}

/** The request is over, its answer read to the end or given up. */
export function release({ health }: Member): void {
  if (health.inFlight > 0) health.inFlight--
}

/** Milliseconds until a member may be asked again, for `Retry-After`; 0 when one may be now. */
export function waitOf({ members, settings }: Pool, now: number): number {
  let least = settings.longest
  for (const { health } of members) {
    if (mayTake(health, now)) return 0
    // A trial is under way: it will soon be known how it went.
    least = Math.min(least, stateOf(health, now) === 'open' ? health.openUntil! - now : settings.coolDown)
  }
  return least
}
