import type { JsonObject } from '../conversation/conversation.ts'
import type { ProviderError } from '../conversation/errors.ts'

/** OpenAI's error type for a status, where the provider's own word says no more. */
export function typeOf(status: number): string {
  if (status === 401) return 'authentication_error'
  if (status === 402) return 'insufficient_quota'
  if (status === 403) return 'permission_error'
  if (status === 404) return 'not_found_error'
  if (status === 408 || status === 504) return 'timeout_error'
  if (status === 429) return 'rate_limit_error'
  if (status >= 500) return 'server_error'
  return status >= 400 ? 'invalid_request_error' : 'api_error'
}

const object = (value: unknown): JsonObject | undefined =>
  value && typeof value === 'object' && !Array.isArray(value) ? (value as JsonObject) : undefined
const text = (value: unknown): string | undefined => (typeof value === 'string' && value.trim() ? value : undefined)
const word = (value: unknown): string | undefined =>
  text(value) ?? (typeof value === 'number' ? String(value) : undefined)

/** FastAPI's list of faults as one sentence: where, and what was wrong there; never the input. */
function faults(detail: unknown): string | undefined {
  if (!Array.isArray(detail)) return undefined
  const said = detail.map(object).map(fault => {
    const at = Array.isArray(fault?.loc) ? fault.loc.filter(step => step !== 'body').join('.') : ''
    return [at, text(fault?.msg)].filter(Boolean).join(': ')
  })
  return said.filter(Boolean).join('; ') || undefined
}

/**
 * Reads an error body in any of the shapes in use, HTML and emptiness included (wire-formats 22.7, traps 49 and 52).
 * The message is the provider's own wherever there is one.
 */
export function readAnyError(status: number, body: unknown): ProviderError {
  const plain = (message: string): ProviderError => ({ status, message, type: typeOf(status), code: null, param: null })
  if (typeof body === 'string') {
    const said = body.trim()
    if (!said) return plain(`the provider answered ${status} without a body`)
    if (/^<(!doctype|html|\?xml|head|body)/i.test(said)) {
      const title = /<title[^>]*>([^<]{1,200})/i.exec(said)?.[1]?.trim()
      return plain(`the provider answered ${status} with a web page${title ? `: ${title}` : ''}`)
    }
    return plain(said.slice(0, 2_000))
  }
  const whole = object(Array.isArray(body) ? body[0] : body)
  if (!whole) return plain(`the provider answered ${status} without an explanation`)
  const nested =
    object(whole.error) ?? object(Array.isArray(whole.errors) ? whole.errors[0] : undefined) ?? object(whole.fault)
  const source = nested ?? whole
  const detail = faults(source.detail) ?? faults(object(source.message)?.detail)
  const message =
    text(source.message) ??
    text(source.Message) ??
    text(whole.error) ??
    detail ??
    text(source.detail) ??
    text(source.title) ??
    text(source.faultstring) ??
    (source.message === undefined ? undefined : JSON.stringify(source.message)) ??
    `the provider answered ${status} without an explanation`
  const { message: _, type, code, param, ...rest } = nested ?? ({} as JsonObject)
  return {
    status,
    message,
    type: text(type) ?? text(nested ? undefined : whole.type) ?? typeOf(status),
    code: word(nested ? code : whole.code) ?? null,
    param: text(nested ? param : whole.param) ?? null,
    ...(Object.keys(rest).length > 0 && { unknown: rest }),
  }
}
