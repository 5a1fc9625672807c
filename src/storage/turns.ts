/** Places that are taken in turn. */
export interface Turns {
  /**
   * Waits for a place.
   * @param patience milliseconds
   * @returns what gives the place back, or nothing when none became free in time or too many wait already
   */
  take(patience: number): Promise<(() => void) | undefined>
}

/**
 * Lets so many in at a time. The others wait in the order in which they came.
 * @param most how many may wait
 */
export function turns(places: number, most: number): Turns {
  let free = places
  const waiting = new Set<() => void>()
  const leave = () => {
    const [next] = waiting
    if (!next) {
      free++
      return
    }
    waiting.delete(next)
    next()
  }
  return {
    async take(patience) {
      if (free > 0) {
        free--
        return leave
      }
      if (waiting.size >= most) return undefined
      const { promise, resolve } = Promise.withResolvers<(() => void) | undefined>()
      const enter = () => {
        clearTimeout(timer)
        resolve(leave)
      }
      const timer = setTimeout(() => {
        waiting.delete(enter)
        resolve(undefined)
      }, patience)
      waiting.add(enter)
      return promise
    },
  }
}
