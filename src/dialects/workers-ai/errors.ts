import type { ProviderError } from '../../conversation/errors.ts'
import { readAnyError, typeOf } from '../errors.ts'

/**
 * The HTTP statuses of Workers AI's own codes, for errors that come without one: inside a stream, or in an envelope
 * under HTTP 200.
 * @see https://developers.cloudflare.com/workers-ai/platform/errors/
 */
const STATUS: Record<string, number> = {
  3003: 400,
  3039: 400,
  5004: 400,
  5007: 400,
  10000: 401,
  3023: 403,
  3041: 403,
  5016: 403,
  5018: 403,
  3042: 404,
  7003: 404,
  5005: 405,
  5019: 405,
  3007: 408,
  3008: 408,
  3006: 413,
  3036: 429,
  3040: 429,
}

/** The code at the head of a message: `InferenceUpstreamError: 3040: Capacity temporarily exceeded`. */
const codeIn = (message: string) => /^(?:\w+: )*(\d{4,5}): /.exec(message)?.[1]

/** Cloudflare's code, wherever it stands. */
function codeOf(body: unknown, error: ProviderError): string | undefined {
  const {
    errors,
    error: single,
    internalCode,
  } = (body ?? {}) as { errors?: unknown; error?: unknown; internalCode?: unknown }
  for (const list of [errors, single]) {
    const code = Array.isArray(list) ? (list[0] as { code?: unknown } | undefined)?.code : undefined
    if (typeof code === 'number' || (typeof code === 'string' && code)) return String(code)
  }
  if (typeof internalCode === 'number') return String(internalCode)
  return error.code ?? codeIn(error.message)
}

/** An error inside an answer, with the status that Cloudflare's code stands for. */
export function withStatus(error: ProviderError): ProviderError {
  const status = STATUS[error.code ?? codeIn(error.message) ?? '']
  return status === undefined
    ? error
    : { ...error, status, type: typeOf(status), code: error.code ?? codeIn(error.message) }
}

/**
 * Cloudflare's envelope `{success: false, errors: [{code, message}]}`, the gateway's with `error` as a list, and what
 * proxies send.
 * @param status the response's own; below 400 it is taken from Cloudflare's code, else 502
 */
export function readError(status: number, body: unknown): ProviderError {
  const inside = status < 400
  const { unknown: _, ...error } = readAnyError(inside ? 502 : status, body)
  const read = { ...error, code: codeOf(body, error) ?? null }
  return inside ? withStatus(read) : read
}
