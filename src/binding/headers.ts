import type { GatewayOptions, UniversalStep } from './types.ts'

/** JSON, in which a number too large for it becomes text. */
export const json = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each))

/** The headers that stand for the options of a call (contract 14.3); what is not said is not sent. */
export function gatewayHeaders(options: GatewayOptions = {}): Record<string, string> {
  const { skipCache, cacheTtl, cacheKey, metadata, collectLog, eventId, requestTimeoutMs, retries } = options
  const named: Record<string, unknown> = {
    'cf-aig-skip-cache': skipCache,
    'cf-aig-cache-ttl': cacheTtl,
    'cf-aig-cache-key': cacheKey,
    'cf-aig-metadata': metadata,
    'cf-aig-collect-log': collectLog,
    'cf-aig-event-id': eventId,
    'cf-aig-request-timeout': requestTimeoutMs,
    'cf-aig-max-attempts': retries?.maxAttempts,
    'cf-aig-retry-delay': retries?.retryDelayMs,
    'cf-aig-backoff': retries?.backoff,
  }
  return textHeaders(named)
}

/** Values of headers as text: numbers and booleans are written out, objects as JSON. */
function textHeaders(given: Record<string, unknown>): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(given))
    if (value !== undefined && value !== null) headers[name] = typeof value === 'object' ? json(value) : String(value)
  return headers
}

/** A step with its headers as text; `Headers` would become `{}` in JSON. */
export function stepOf(step: UniversalStep): UniversalStep {
  const { headers } = step
  if (!headers) return step
  return { ...step, headers: headers instanceof Headers ? Object.fromEntries(headers) : textHeaders(headers) }
}
