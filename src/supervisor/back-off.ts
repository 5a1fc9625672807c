const first = 100
const longest = 5_000
const healthy = 10_000

/** Milliseconds before a dead worker is started again: doubling from 0.1 s to 5 s, from the start after 10 s of health. */
export function backOff(): (livedFor: number) => number {
  let next = first
  return livedFor => {
    if (livedFor >= healthy) next = first
    const wait = next
    next = Math.min(next * 2, longest)
    return wait
  }
}
