import type { JsonObject } from './conversation.ts'

/** A failure as the provider told it, before or inside a stream, in OpenAI's terms. */
export interface ProviderError {
  /** The HTTP status that fits: the response's own, or the one the provider's error type stands for in mid-stream. */
  status: number
  message: string
  /** OpenAI's `type`: `invalid_request_error`, `rate_limit_error`, `server_error`, … or the provider's own. */
  type: string
  code?: string | null
  param?: string | null
  /** Members beside those, kept for the client (for instance OpenRouter's `metadata`). */
  unknown?: JsonObject
}

/** Thrown where a provider's failure is found in what looked like an answer (an error body under HTTP 200). */
export class ProviderFailure extends Error {
  constructor(readonly error: ProviderError) {
    super(error.message)
  }
}

/**
 * The request asks for something that the target's dialect cannot express and that must not be dropped in silence.
 * Becomes a 400 in the client's own shape, naming the field.
 */
export class Unsupported extends Error {
  constructor(
    /** The field of the client's request, as a path: `messages[2].content[0]`, `n`. */
    readonly field: string,
    message: string,
  ) {
    super(message)
  }
}
