import type { Exchange } from './exchange.ts'

/** A client that leaves ends the call to the provider. */
export function watchClient({ request, outcome, abort, shared }: Exchange): void {
  const leave = () => {
    // Whoever keeps the answer decides how long its provider goes on.
    if (shared.outlives) return
    outcome.left = true
    abort.abort()
  }
  request.signal.addEventListener('abort', leave, { once: true })
}
