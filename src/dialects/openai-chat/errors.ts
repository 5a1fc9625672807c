import type { JsonObject } from '../../conversation/conversation.ts'
import type { ProviderError } from '../../conversation/errors.ts'
import { readAnyError } from '../errors.ts'
import type { Completion } from './types.ts'

/** OpenAI's error body: four members, always there, and what the provider said beside them. */
export function writeError(error: ProviderError): JsonObject {
  return {
    error: {
      message: error.message,
      type: error.type,
      param: error.param ?? null,
      code: error.code ?? null,
      ...error.unknown,
    },
  }
}

/** Reads an error that came under HTTP 200, in a stream or as the whole answer. */
export const readErrorIn = (body: Completion): ProviderError => readAnyError(statusIn(body) ?? 502, body)

/** A status inside an error object: a number, or a number in quotes, where the provider gives its HTTP status as code. */
function statusIn(chunk: Completion): number | undefined {
  const error = (chunk.error && typeof chunk.error === 'object' ? chunk.error : chunk) as Record<string, unknown>
  for (const value of [error.status_code, error.status, error.code]) {
    const status = Number(value)
    if (Number.isInteger(status) && status >= 400 && status < 600) return status
  }
  return STATUS[String(error.code)] ?? STATUS[String(error.type)]
}

/** The status that an error's word stands for, where it came before the first byte and can still be answered with one (T08). */
const STATUS: Record<string, number> = {
  invalid_request_error: 400,
  context_length_exceeded: 400,
  authentication_error: 401,
  invalid_api_key: 401,
  permission_error: 403,
  not_found_error: 404,
  model_not_found: 404,
  rate_limit_error: 429,
  rate_limit_exceeded: 429,
  insufficient_quota: 429,
  overloaded_error: 503,
  unavailable_error: 503,
}

/** Whether a message is an error: an object, also beside choices (OpenRouter), or a flat one without any (vLLM, Cerebras). */
export function isError(chunk: Completion): boolean {
  if (chunk.error || chunk.object === 'error') return true
  return !chunk.choices && typeof chunk.message === 'string' && ('code' in chunk || 'type' in chunk)
}
