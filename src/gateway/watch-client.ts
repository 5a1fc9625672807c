import type { Exchange } from './exchange.ts'

/** A client that leaves ends the call to the provider; where others share the answer, the last of them does. */
export function watchClient({ request, outcome, abort, shared }: Exchange): void {
  const { until } = shared
  const leave = () => {
    // Whoever keeps the answer decides how long its provider goes on.
    if (!until && shared.outlives) return
    outcome.left = true
    abort.abort()
  }
  const signal = until ?? request.signal
  signal.addEventListener('abort', leave)
}
