import { RedisClient } from 'bun'
import type { OnStoreFailure } from './counters.ts'
import type { Script } from './redis-scripts.ts'

/** One Redis that may stop to answer, and come back. */
export interface RedisLink {
  /** Whether it answers, as far as is known; while it is looked for for the first time, true. */
  isUp(): boolean
  /**
   * @param late called with an answer that comes after the promise was rejected: the work was done after all
   * @throws Error, with a reason for the operator, when there is no answer in time
   */
  call<Reply>(work: (client: RedisClient) => Promise<Reply>, late?: (reply: Reply) => void): Promise<Reply>
  close(): void
}

export interface LinkOptions {
  /** How long Redis may be silent while it is asked, 250 unless told. */
  timeoutMilliseconds?: number
  onFailure: OnStoreFailure
}

const TIMEOUT_MS = 250
const LAST_LOOK_MS = 10
const LOOK_AGAIN_MS = 500
/** How long a connection is kept for late answers after Redis was given up. */
const LATE_MS = 10_000

/**
 * Connects, and when Redis fails looks for it every half second on a new connection, by a write, because one that is
 * full or a replica answers reads. Until then calls are rejected at once, so that nothing waits for a Redis that is gone.
 */
export function redisLink(url: string, { timeoutMilliseconds = TIMEOUT_MS, onFailure }: LinkOptions): RedisLink {
  let client: RedisClient | undefined
  let up = true
  let closed = false
  let timer: ReturnType<typeof setTimeout> | undefined
  /** Redis answers in the order of the questions: as long as answers come, the others are on their way. */
  let answered = 0
  const late = new Set<RedisClient>()
  let first: Promise<void> | undefined = look().finally(() => {
    first = undefined
  })

  async function look(): Promise<void> {
    // A client of Bun's own gives up after some attempts, and keeps what it is asked until it is connected.
    let found: RedisClient | undefined
    try {
      found = new RedisClient(url, {
        autoReconnect: false,
        enableOfflineQueue: false,
        connectionTimeout: timeoutMilliseconds,
      })
      await within(timeoutMilliseconds, connected(found))
    } catch (fault) {
      found?.close()
      failed(undefined, reasonOf(fault))
      return
    }
    if (closed) return found.close()
    client = found
    if (up) return
    up = true
    onFailure(true, 'redis answers again')
  }

  function failed(used: RedisClient | undefined, reason: string): void {
    // Of many calls that fail together the first has said so.
    if (closed || used !== client) return
    if (used) retire(used)
    client = undefined
    clearTimeout(timer)
    timer = setTimeout(look, LOOK_AGAIN_MS)
    timer.unref()
    if (!up) return
    up = false
    onFailure(false, reason)
  }

  function retire(used: RedisClient): void {
    late.add(used)
    setTimeout(() => {
      late.delete(used)
      used.close()
    }, LATE_MS).unref()
  }

  async function call<Reply>(
    work: (client: RedisClient) => Promise<Reply>,
    onLate?: (reply: Reply) => void,
  ): Promise<Reply> {
    if (first) await first
    const used = client
    if (!used) throw new Error('redis does not answer')
    const { promise, resolve, reject } = Promise.withResolvers<Reply>()
    let over = false
    const giveUp = (reason: string) => {
      over = true
      failed(used, reason)
      reject(new Error(reason))
    }
    const asked = performance.now()
    let timer: ReturnType<typeof setTimeout> | undefined
    const look = (further: boolean) => {
      if (settled) return
      const silent = performance.now() - Math.max(asked, answered)
      if (silent < timeoutMilliseconds) timer = setTimeout(look, timeoutMilliseconds - silent, true)
      // After this process itself was busy the answer may have come and not been read.
      else if (further) timer = setTimeout(look, LAST_LOOK_MS, false)
      else giveUp(`no answer from redis within ${timeoutMilliseconds} ms`)
    }
    timer = setTimeout(look, timeoutMilliseconds, true)
    let settled = false
    work(used).then(
      reply => {
        settled = true
        clearTimeout(timer)
        if (used === client) answered = performance.now()
        if (over) onLate?.(reply)
        else resolve(reply)
      },
      (fault: unknown) => {
        settled = true
        clearTimeout(timer)
        if (!over) giveUp(reasonOf(fault))
      },
    )
    return promise
  }

  return {
    isUp: () => up && !closed,
    call,
    close() {
      closed = true
      clearTimeout(timer)
      client?.close()
      client = undefined
      for (const one of late) one.close()
    },
  }
}

async function connected(client: RedisClient): Promise<void> {
  await client.connect()
  await client.send('SET', ['postern:counter-probe', '1', 'PX', '1000'])
}

function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const timer = setTimeout(() => reject(new Error(`no answer from redis within ${milliseconds} ms`)), milliseconds)
  work.then(resolve, reject).finally(() => clearTimeout(timer))
  return promise
}

/** Redis's own words, which hold no address and no secret. */
const reasonOf = (fault: unknown): string => (fault instanceof Error ? fault.message.slice(0, 200) : 'redis failed')

/** Runs a script that Redis may not know yet. */
export async function runScript(
  client: RedisClient,
  script: Script,
  keys: readonly string[],
  values: readonly string[],
): Promise<unknown> {
  const rest = [String(keys.length), ...keys, ...values]
  try {
    return await client.send('EVALSHA', [script.sha, ...rest])
  } catch (fault) {
    if (!(fault instanceof Error && fault.message.startsWith('NOSCRIPT'))) throw fault
    return client.send('EVAL', [script.text, ...rest])
  }
}
