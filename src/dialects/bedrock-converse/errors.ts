import type { ProviderError } from '../../conversation/errors.ts'
import { readAnyError, typeOf } from '../errors.ts'

/** The HTTP status that stands for an exception inside a stream. */
const STATUS: Record<string, number> = {
  validationException: 400,
  accessDeniedException: 403,
  resourceNotFoundException: 404,
  modelTimeoutException: 408,
  modelErrorException: 424,
  modelStreamErrorException: 424,
  throttlingException: 429,
  modelNotReadyException: 429,
  internalServerException: 500,
  serviceUnavailableException: 503,
}

/** `com.amazon.coral.service#ThrottlingException:http://…` and its like as the bare name of the exception. */
function exceptionName(text: unknown): string | undefined {
  if (typeof text !== 'string') return undefined
  return text.split(':')[0]!.split('#').at(-1)!.trim() || undefined
}

/**
 * Reads the error of a failed request: `{message}` or `{Message}` beside the header that names the exception (T59).
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html
 */
export function readError(status: number, body: unknown, headers?: Headers): ProviderError {
  const error = readAnyError(status, body)
  const own = (body && typeof body === 'object' ? (body as { __type?: unknown }).__type : undefined) ?? undefined
  const name = exceptionName(headers?.get('x-amzn-errortype') ?? own)
  return withName(error, name)
}

/** Reads an exception in mid-stream, whose name stands for the status. */
export function readException(name: string | undefined, payload: unknown): ProviderError {
  const key = name && name[0]!.toLowerCase() + name.slice(1)
  return withName(readAnyError((key && STATUS[key]) || 502, payload), name)
}

function withName(error: ProviderError, name: string | undefined): ProviderError {
  // Clients of OpenAI's format know an overlong prompt by its code only.
  const overlong = /input is too long|input tokens exceeded|prompt is too long/i.test(error.message)
  const code = overlong ? 'context_length_exceeded' : (error.code ?? name ?? null)
  // 424 says that the model failed, which is no fault of the request.
  const type = error.status === 424 ? 'server_error' : error.type === name ? typeOf(error.status) : error.type
  return { ...error, type, code }
}
