import type { JsonObject } from '../../conversation/conversation.ts'
import type { ProviderError } from '../../conversation/errors.ts'
import { readAnyError, typeOf } from '../errors.ts'

/** The HTTP status that stands for an error type, for errors that come inside a stream. */
const STATUS: Record<string, number> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
}

/**
 * Reads the error of a failed request.
 * @see https://platform.claude.com/docs/en/api/errors
 */
export function readError(status: number, body: unknown): ProviderError {
  const error = readAnyError(status, body)
  const said = (body as { error?: { type?: unknown; details?: { error_code?: unknown } } } | null | undefined)?.error
  const word = typeof said?.type === 'string' ? said.type : undefined
  // Clients of OpenAI's format know an overlong prompt by its code only.
  const overlong = /^prompt is too long/i.test(error.message) ? 'context_length_exceeded' : undefined
  const reason = said?.details?.error_code
  return {
    ...error,
    type: word === undefined || word === 'api_error' ? typeOf(status) : word,
    code: error.code ?? overlong ?? (typeof reason === 'string' ? reason : undefined) ?? word ?? null,
  }
}

/** Reads an `error` message in mid-stream, where the type is all that tells the status (T07). */
export function readStreamError(message: JsonObject): ProviderError {
  const type = (message.error as { type?: unknown } | undefined)?.type
  return readError((typeof type === 'string' && STATUS[type]) || 502, message)
}
