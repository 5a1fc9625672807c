import type { ProviderError } from '../../conversation/errors.ts'
import { readAnyError } from '../errors.ts'

/** Cohere's `error_type` beside the message, in OpenAI's words where there is one. */
const CODES: Record<string, string> = { TOO_MANY_TOKENS: 'context_length_exceeded' }

/**
 * `{id, message}`, sometimes with `error_type`; status 498 means that a filter blocked the request or the answer.
 * @see https://docs.cohere.com/reference/errors
 */
export function readError(status: number, body: unknown): ProviderError {
  const error = readAnyError(status, body)
  const kind = (body as { error_type?: unknown } | null | undefined)?.error_type
  const code = typeof kind === 'string' && kind ? (CODES[kind] ?? kind) : error.code
  return { ...error, code: status === 498 ? (code ?? 'content_filter') : code }
}

/** The failure that a finish reason or an error inside an answer stands for. */
export function failure(reason: string | undefined, message: string | undefined): ProviderError {
  const timeout = reason === 'TIMEOUT'
  return {
    status: timeout ? 504 : 502,
    message: message || (timeout ? 'the provider ran out of time' : 'the provider failed while it was answering'),
    type: timeout ? 'timeout_error' : 'server_error',
    code: reason ?? null,
  }
}
