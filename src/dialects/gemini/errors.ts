import type { JsonObject } from '../../conversation/conversation.ts'
import type { ProviderError } from '../../conversation/errors.ts'
import { readAnyError, typeOf } from '../errors.ts'

const object = (value: unknown): JsonObject | undefined =>
  value && typeof value === 'object' && !Array.isArray(value) ? (value as JsonObject) : undefined

/**
 * Google's errors: `{error: {code, message, status, details}}`, in an array where the stream was asked for without SSE.
 * The `details` stay in `unknown`, among them `google.rpc.RetryInfo` with its `retryDelay`.
 *
 * A wrong key is a 400 with the reason API_KEY_INVALID, so the type comes from the reason, not only from the status.
 * @see https://ai.google.dev/gemini-api/docs/troubleshooting
 */
export function readError(status: number, body: unknown): ProviderError {
  const google = object(object(Array.isArray(body) ? body[0] : body)?.error)
  const error = readAnyError(status, body)
  if (!google) return error
  const nested = wrapped(error.message)
  if (nested) error.message = nested
  const reason = reasonOf(google.details)
  const word = typeof google.status === 'string' && google.status ? google.status : undefined
  error.code = reason ?? word ?? error.code ?? null
  if (reason === 'API_KEY_INVALID' || word === 'UNAUTHENTICATED') error.type = 'authentication_error'
  else if (word === 'PERMISSION_DENIED') error.type = 'permission_error'
  else if (word === 'RESOURCE_EXHAUSTED') error.type = 'rate_limit_error'
  return error
}

/**
 * An error that came where an answer was due: inside a stream, or as a body under HTTP 200.
 * @returns undefined when the message is no error
 */
export function errorInside(message: unknown): ProviderError | undefined {
  const error = object(object(message)?.error)
  if (!error) return undefined
  const { code } = error
  return readError(typeof code === 'number' && code >= 400 && code < 600 ? code : 502, message)
}

/** A candidate that ended without an answer, for a reason that means failure (T51). */
export function brokenCandidate(reason: string, said: string | undefined): ProviderError {
  return {
    status: 502,
    message: said || `the model stopped without an answer: ${reason}`,
    type: typeOf(502),
    code: reason,
    param: null,
  }
}

/** The `reason` of `google.rpc.ErrorInfo`, which is more telling than the status word. */
function reasonOf(details: unknown): string | undefined {
  if (!Array.isArray(details)) return undefined
  for (const detail of details) {
    const reason = object(detail)?.reason
    if (typeof reason === 'string' && reason) return reason
  }
  return undefined
}

/** Some of Google's front ends put the whole error of the one behind them, as JSON, into the message of their own. */
function wrapped(message: string): string | undefined {
  if (!message.startsWith('{')) return undefined
  try {
    const inner = object(object(JSON.parse(message))?.error)?.message
    return typeof inner === 'string' && inner ? inner : undefined
  } catch {
    return undefined
  }
}
