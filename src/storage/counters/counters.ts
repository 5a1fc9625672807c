import type { Window } from './window.ts'

/** One bound that a request has to fit in. */
export interface Limit {
  /**
   * What is counted, unique: `rate:default`, `spend:default:a1b2c3d4:team=search`. The same key with another window is
   * another counter, so that a changed window never reads amounts that were gathered for the old one.
   */
  key: string
  /** Requests, tokens, or picodollars (1e-12 USD): whole, up to 2^63. */
  limit: number
  /** Taken now, whole: 1, or an upper estimate of tokens or picodollars. 0 only asks whether the limit is reached. */
  amount: number
  window: Window
}

export interface Taken {
  ok: true
  /** What is left of each limit. */
  remaining: number[]
  /** Seconds, at least 1, until the first of what is counted stops to count: for a fixed window, until it ends. */
  resets: number[]
  /** The shared store could not be reached and the policy is to allow: nothing was counted. */
  uncounted?: true
  /**
   * Corrects what was taken to what was really used, in the part of the window that it was taken in: less or more, 0
   * gives it back. Only the first call does anything. What is never settled stays taken. It never throws; an actual
   * amount that is no number leaves what was taken.
   */
  settle(actual: readonly number[]): void
}

export interface Refused {
  ok: false
  /** The first limit that does not fit. */
  which: number
  /** How much of it is used. */
  used: number
  /** Seconds, at least 1, until the same amount fits if nothing else is taken. */
  retryAfter: number
  /** The shared store could not be reached and the policy is to deny: no limit is known to be reached. */
  unavailable?: true
}

/** What was taken in the windows that limits stand for. */
export interface Counters {
  /**
   * Takes of all limits or of none, in one step that nothing can come between. An amount fits while what is used and
   * the amount together are no more than the limit; the amount 0 fits while less than the limit is used.
   *
   * @param now milliseconds since 1970
   * @throws RangeError for an amount that is no number from 0 up; a store that cannot be reached never throws
   */
  take(limits: readonly Limit[], now?: number): Taken | Refused | Promise<Taken | Refused>
  /**
   * How much of each limit is used, without taking.
   * @throws StorageError when the shared store cannot be reached
   */
  used(limits: readonly Limit[], now?: number): number[] | Promise<number[]>
  /** Writes what is left. */
  close(): Promise<void>
}

/** Called once when a store stops to answer, with why, and once when it answers again. Never holds a secret. */
export type OnStoreFailure = (up: boolean, reason: string) => void

/** What becomes of a request that cannot be counted. */
export type FailurePolicy = 'allow' | 'deny'
