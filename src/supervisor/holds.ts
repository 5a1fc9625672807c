import type { CreditStore } from '../storage/credits.ts'
import type { Logger } from '../telemetry/log.ts'

/** Longer than requests take; one that takes longer is charged all the same. */
const STALE_MS = 3_600_000
const LOOK_MS = 600_000

/**
 * Gives back what requests had set aside from credit whose process has died, at once and from then on: nobody else would,
 * and the credit would be out of reach for ever. One process of several is enough.
 * @returns what ends it
 */
export function giveUpHolds(credits: CreditStore, log: Logger, now: () => number = Date.now): () => void {
  const look = async () => {
    try {
      const count = await credits.release(now() - STALE_MS)
      if (count) log.warn({ count }, 'credit was given back that requests had set aside which never came to an end')
    } catch (error) {
      log.error({ error }, 'credit that was set aside was not looked at')
    }
  }
  void look()
  const timer = setInterval(look, LOOK_MS)
  timer.unref()
  return () => clearInterval(timer)
}
