import type { JsonObject } from '../../conversation/conversation.ts'
import type { ProviderError } from '../../conversation/errors.ts'

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
