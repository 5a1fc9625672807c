import type { Exchange } from './exchange.ts'

/** A client that leaves ends the call to the provider. */
export function watchClient({ request, outcome, abort }: Exchange): void {
  const leave = () => {
    outcome.left = true
    abort.abort()
  }
  request.signal.addEventListener('abort', leave, { once: true })
}
