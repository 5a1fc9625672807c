import { type Count, plus } from './count.ts'

/** A change to what was taken in one bucket of one counter. */
export interface Correction {
  key: string
  /** The beginning of the bucket. */
  start: number
  change: Count
}

/** What was settled and has not reached the shared store yet. */
export interface Corrections {
  readonly size: number
  add(key: string, start: number, change: Count): void
  /** Takes out the oldest, at most so many. */
  next(most: number): Correction[]
}

/**
 * Changes to the same bucket become one.
 *
 * @param most how many are kept; when there are more, the oldest is lost, what it would have corrected stays as it was
 *   taken, and `onLost` is told
 */
export function corrections(most: number, onLost: () => void): Corrections {
  const waiting = new Map<string, Correction>()
  return {
    get size() {
      return waiting.size
    },
    add(key, start, change) {
      const name = `${start} ${key}`
      const there = waiting.get(name)
      if (there) {
        there.change = plus(there.change, change)
        return
      }
      if (waiting.size >= most) {
        waiting.delete(waiting.keys().next().value!)
        onLost()
      }
      waiting.set(name, { key, start, change })
    },
    next(atMost) {
      const taken: Correction[] = []
      for (const [name, correction] of waiting) {
        if (taken.length === atMost) break
        taken.push(correction)
        waiting.delete(name)
      }
      return taken
    },
  }
}
