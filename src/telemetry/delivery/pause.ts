const FIRST_MS = 500
const LONGEST_MS = 60_000

/** The pauses between tries: from half a second, doubling, to a minute, with some chance in them. */
export class Pause {
  #next = FIRST_MS

  /** @param told milliseconds that the receiver asks for */
  next(told?: number): number {
    const wait = this.#next * (0.5 + Math.random() / 2)
    this.#next = Math.min(this.#next * 2, LONGEST_MS)
    return Math.min(Math.max(wait, told ?? 0), LONGEST_MS)
  }

  over(): void {
    this.#next = FIRST_MS
  }
}

/** Waits, or until the signal fires; never keeps the process alive. */
export function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  if (signal.aborted) return Promise.resolve()
  const done = () => {
    clearTimeout(timer)
    signal.removeEventListener('abort', done)
    resolve()
  }
  const timer = setTimeout(done, milliseconds)
  timer.unref()
  signal.addEventListener('abort', done)
  return promise
}
