import type { Logger } from '../telemetry/log.ts'

/** What is needed of a listener to end it. */
export interface Drainable {
  stop(graceful: boolean): Promise<void>
  /** Requests whose answer is not out yet. */
  pending(): number
}

/**
 * Stops accepting at once and waits for the answers in flight.
 *
 * @param seconds how long they may go on; then they are cut
 */
export async function drain(listener: Drainable, seconds: number, log: Logger): Promise<void> {
  const deadline = performance.now() + seconds * 1_000
  const ended = listener.stop(true)
  if (listener.pending() > 0) log.info({ pending: listener.pending() }, 'stopping: answers in flight may end first')
  while (listener.pending() > 0 && performance.now() < deadline) await Bun.sleep(20)
  if (listener.pending() > 0) log.warn({ pending: listener.pending() }, 'stopping: answers cut after server.drain')
  // The last bytes leave after the count has reached zero; idle connections would keep it waiting for ever.
  else await Promise.race([ended, Bun.sleep(100)])
  void listener.stop(false)
}
