import type { ProviderError } from '../../conversation/errors.ts'
import { readAnyError } from '../errors.ts'

/**
 * `{"error": "a sentence"}`; ollama.com adds `StatusCode`-like members, proxies in front of a server their own pages.
 * @param status 502 where the failure stood inside an answer
 */
export function readError(status: number, body: unknown): ProviderError {
  const error = readAnyError(status, body)
  const missing = status === 404 && /model .*not found/i.test(error.message)
  return missing ? { ...error, code: error.code ?? 'model_not_found' } : error
}
