import type { Exchange } from './exchange.ts'

/** Nginx's number for a client that closed the connection before the answer was complete. */
const CLIENT_LEFT = 499

/**
 * Writes the line of a request that is over: who asked for what, how long it took, what it used; never a body, a key or
 * a header. Called once, after the last byte.
 */
export function record(exchange: Exchange, status: number): void {
  const { outcome, target, caller, log, started } = exchange
  if (outcome.status !== undefined) return
  outcome.status = outcome.left ? CLIENT_LEFT : status
  const { usage, error, firstByte } = outcome
  const { ids } = exchange
  log({
    id: ids.log,
    ...(ids.event !== ids.request && { event: ids.event }),
    method: exchange.request.method,
    path: exchange.path,
    status: outcome.status,
    duration_ms: round(performance.now() - started),
    ...(firstByte !== undefined && { first_byte_ms: round(firstByte - started) }),
    gateway: exchange.gatewayId,
    ...(target && { provider: target.reach.provider.slug }),
    ...(target?.model && { model: target.model }),
    ...(caller && { token: caller.name }),
    ...(exchange.stream && { stream: true }),
    ...(usage && { tokens_in: usage.input, tokens_out: usage.output }),
    ...(usage?.cacheRead && { tokens_cached: usage.cacheRead }),
    // The provider's message may quote the prompt; its code does not.
    ...(error && { error: error.code ?? error.type }),
  })
}

const round = (milliseconds: number) => Math.round(milliseconds * 100) / 100
