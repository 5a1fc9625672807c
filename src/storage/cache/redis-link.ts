import { RedisClient } from 'bun'
import { type Outage, reasonOf } from './outage.ts'

/** A server that could not be reached is not asked again for so long. */
const PAUSE_MS = 1_000

const LATE = Symbol('late')

/**
 * A connection to Redis on which nobody ever waits long: while there is none, or no answer comes in time, what is asked
 * has no answer. It is made again by itself when something is asked.
 */
export class RedisLink {
  readonly #client: RedisClient
  readonly #patience: number
  readonly #reach: number
  readonly #outage: Outage | undefined
  /** Milliseconds since 1970. */
  #pausedUntil = 0
  /** An answer was late, or there is no connection; whether that is over is being found out. */
  #trying: Promise<void> | undefined
  #closed = false

  /**
   * @param url may hold a password, and is never repeated
   * @param patience in milliseconds, for one answer
   * @param reach in milliseconds, for a connection, and for a sign of life
   * @param outage told when the server cannot be reached
   */
  constructor(url: string, patience: number, reach: number, outage?: Outage) {
    this.#patience = patience
    this.#reach = reach
    this.#outage = outage
    this.#client = new RedisClient(url, {
      connectionTimeout: reach,
      // Both would keep a request waiting for a server that may never come back.
      enableOfflineQueue: false,
      autoReconnect: false,
    })
  }

  /** Tries to connect, and is over when that went well or did not. */
  open(): Promise<void> {
    this.#trying ??= this.#connect().finally(() => {
      this.#trying = undefined
    })
    return this.#trying
  }

  /**
   * @returns nothing when there is no answer in time
   * @throws what the server itself says against the question
   */
  async ask<Answer>(question: (client: RedisClient) => Promise<Answer>): Promise<Answer | undefined> {
    if (this.#closed) return undefined
    if (!this.#client.connected || this.#trying) {
      if (!this.#trying && Date.now() >= this.#pausedUntil) void this.open()
      return undefined
    }
    try {
      const answer = await inTime(question(this.#client), this.#patience)
      if (answer !== LATE) {
        this.#outage?.worked()
        return answer
      }
      void this.open()
    } catch (fault) {
      if (isRefusal(fault)) throw fault
      this.#failed(reasonOf(fault))
    }
    return undefined
  }

  close(): void {
    this.#closed = true
    this.#client.close()
  }

  async #connect(): Promise<void> {
    try {
      if (this.#client.connected) {
        // It was late once. A busy moment on this side or that is no reason to leave.
        if ((await inTime(this.#client.send('PING', []), this.#reach)) === LATE) {
          this.#client.close()
          this.#failed(`no answer within ${this.#reach} ms`)
        }
      } else if ((await inTime(this.#client.connect(), this.#reach)) === LATE) this.#failed('no connection in time')
      else this.#outage?.worked()
    } catch (fault) {
      this.#failed(reasonOf(fault))
    }
  }

  #failed(reason: string): void {
    this.#pausedUntil = Date.now() + PAUSE_MS
    if (!this.#closed) this.#outage?.failed(reason)
  }
}

async function inTime<Answer>(answer: Promise<Answer>, patience: number): Promise<Answer | typeof LATE> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<typeof LATE>(resolve => {
    timer = setTimeout(resolve, patience, LATE)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}

const isRefusal = (fault: unknown) =>
  fault instanceof Error && 'code' in fault && fault.code === 'ERR_REDIS_SERVER_ERROR'
