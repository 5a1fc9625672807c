import type { CreditStore } from '../../storage/credits.ts'

/** Milliseconds between tries: about a minute in all, which a database that is started again needs at most. */
const PAUSES = [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000]
/** Charges that wait for the database at once, in this process. */
const MOST_WAITING = 10_000

let waiting = 0

/**
 * Charges what a request came to, and again while the database is away. What was charged by a try whose end was lost is
 * not charged twice.
 * @param pauses between tries, in milliseconds
 * @throws what the database throws, when it stays away, or too many wait for it already
 */
export async function charge(
  credits: Pick<CreditStore, 'settle'>,
  { id, owner, amount }: { id: string; owner: string; amount: number },
  pauses: readonly number[] = PAUSES,
): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await credits.settle(id, owner, amount, tries > 0)
      return
    } catch (fault) {
      const pause = pauses[tries]
      if (pause === undefined || waiting >= MOST_WAITING) throw fault
      waiting++
      await Bun.sleep(pause)
      waiting--
    }
  }
}
