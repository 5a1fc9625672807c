/** How a request to a member began, or failed. */
export interface Outcome {
  ok: boolean
  /** Milliseconds to the first byte, where one came. */
  firstByteMs?: number
  /** The status, where there was one; without it the member could not be reached, or took too long. */
  status?: number
  /** What the provider asked for in `Retry-After`. */
  retryAfterMs?: number
  /** The client left, or the request was dropped for another reason of ours: it says nothing of the member. */
  left?: boolean
}

/** Times in milliseconds. */
export interface HealthSettings {
  /** How long a member is passed over after one failure, as long as there is another. */
  coolDown: number
  /** How long after a refused key (401, 403), which seldom mends itself. */
  refusedCoolDown: number
  /** How many failures in a row open the circuit. */
  failures: number
  /** How long it stays open at first; each failed trial doubles it. */
  open: number
  /** The longest that it stays open, and the most that `Retry-After` may ask for. */
  longest: number
}

export const usualHealth: HealthSettings = {
  coolDown: 2_000,
  refusedCoolDown: 30_000,
  failures: 5,
  open: 15_000,
  longest: 300_000,
}

/** closed: all may pass; open: nobody; half-open: one, to see whether it has recovered. */
export type State = 'closed' | 'open' | 'half-open'

/** What is known of one member: a few numbers. */
export interface Health {
  inFlight: number
  /** Smoothed milliseconds to the first byte; absent before the first answer. */
  firstByteMs?: number
  /** Failures in a row. */
  failures: number
  /** Passed over until then, where there is another. */
  coolUntil: number
  /** The circuit is open until then; absent while it is closed. */
  openUntil?: number
  /** How long it was last opened for. */
  openFor: number
  /** Since when a trial is under way. */
  trialSince?: number
}

export const newHealth = (): Health => ({ inFlight: 0, failures: 0, coolUntil: 0, openFor: 0 })

/** A trial of which nothing was heard for so long is given up, and another may begin. */
const LONGEST_TRIAL = 600_000

/** Of a new measurement, in the smoothed time. */
const WEIGHT = 0.2

export function stateOf({ openUntil }: Health, now: number): State {
  if (openUntil === undefined) return 'closed'
  return now < openUntil ? 'open' : 'half-open'
}

/** Whether a request may go there at all. */
export function mayTake(health: Health, now: number): boolean {
  const state = stateOf(health, now)
  if (state !== 'half-open') return state === 'closed'
  return health.trialSince === undefined || now - health.trialSince >= LONGEST_TRIAL
}

/** Counts a request that goes there now; on a half-open circuit it is the trial. */
export function take(health: Health, now: number): void {
  health.inFlight++
  if (stateOf(health, now) === 'half-open') health.trialSince = now
}

/**
 * Takes note of how a request went.
 *
 * A refusal of the request itself (400, 404, 422 and the like) is the caller's fault: the member is well. Too many
 * requests (429) and a refused key (401, 403) make it cool down. No answer, 408 and 5xx make it cool down as well, and
 * open the circuit when they come in a row. While the circuit is open, what began before changes nothing.
 */
export function note(health: Health, outcome: Outcome, now: number, settings: HealthSettings): void {
  const state = stateOf(health, now)
  if (outcome.left) {
    if (state === 'half-open') health.trialSince = undefined
    return
  }
  if (outcome.ok && outcome.firstByteMs !== undefined) {
    const known = health.firstByteMs ?? outcome.firstByteMs
    health.firstByteMs = known + (outcome.firstByteMs - known) * WEIGHT
  }
  const { status } = outcome
  const down = !outcome.ok && (status === undefined || status === 408 || status >= 500)
  const wait = outcome.ok ? 0 : coolDown(outcome, down, settings)
  if (wait) health.coolUntil = Math.max(health.coolUntil, now + wait)
  if (state === 'open') return
  if (!down) close(health)
  else if (++health.failures >= settings.failures || state === 'half-open') open(health, now, settings)
}

/** How long the others are asked instead. */
function coolDown({ status, retryAfterMs }: Outcome, down: boolean, settings: HealthSettings): number {
  if (retryAfterMs !== undefined && (down || status === 429)) return Math.min(retryAfterMs, settings.longest)
  if (down || status === 429) return settings.coolDown
  return status === 401 || status === 403 ? settings.refusedCoolDown : 0
}

function close(health: Health): void {
  health.failures = 0
  health.openUntil = undefined
  health.trialSince = undefined
  health.openFor = 0
}

function open(health: Health, now: number, settings: HealthSettings): void {
  health.openFor = health.openFor ? Math.min(health.openFor * 2, settings.longest) : settings.open
  health.openUntil = now + health.openFor
  health.trialSince = undefined
}
