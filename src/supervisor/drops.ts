import type { Logger } from '../telemetry/log.ts'

const SECOND_MS = 1_000

export interface Drops {
  tell(store: string, count: number, why: string): void
  /** Tells what has not been told yet. For a stop. */
  rest(): void
}

/**
 * Tells in the log what is not kept: the first at once, and what follows within a second together, because a queue that
 * is full lets thousands go. Stores and reasons are few.
 */
export function dropsIn(log: Logger): Drops {
  const waiting = new Map<string, { store: string; why: string; count: number }>()
  const say = (store: string, why: string, count: number) => log.warn({ store, count, why }, 'not kept')
  return {
    tell(store, count, why) {
      const name = `${store} ${why}`
      const more = waiting.get(name)
      if (more) {
        more.count += count
        return
      }
      say(store, why, count)
      const next = { store, why, count: 0 }
      waiting.set(name, next)
      const timer = setInterval(() => {
        if (next.count) {
          say(store, why, next.count)
          next.count = 0
          return
        }
        clearInterval(timer)
        waiting.delete(name)
      }, SECOND_MS)
      timer.unref()
    },
    rest() {
      for (const next of waiting.values()) {
        if (next.count) say(next.store, next.why, next.count)
        next.count = 0
      }
    },
  }
}
