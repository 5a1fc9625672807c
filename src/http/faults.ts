import { GatewayFault } from '../gateway/fault.ts'
import { PolicyFault } from '../gateway/policies/refusals.ts'
import { pathOf } from './path.ts'

/** Numbers whose bodies Cloudflare's own clients look into: they find them only in its envelope (contract 2.5). */
const IN_ENVELOPE = new Set([2001, 2009])

/** Any fault as an answer, in the shape that an OpenAI client shows to people. Nothing of the client's input is in it. */
export function faultResponse(fault: GatewayFault): Response {
  const { message, type, code, param, number } = fault
  if (fault instanceof PolicyFault) return policyResponse(fault)
  if (number !== undefined && IN_ENVELOPE.has(number)) return envelopeResponse(fault)
  return respond(fault, {
    error: { message, type, param: param ?? null, code },
    ...(number !== undefined && { success: false, errors: [{ code: number, message }] }),
  })
}

/**
 * Any fault as an answer in Cloudflare's envelope, for addresses whose answers are otherwise the providers' own: `error`
 * is a list there, and `errors` says the same (contract 2.5).
 */
export function envelopeResponse(thrown: unknown): Response {
  const fault = thrown instanceof GatewayFault ? thrown : internalFault()
  if (fault instanceof PolicyFault) return policyResponse(fault)
  const { status, message } = fault
  // What has no number of Cloudflare's goes by its status.
  const code = fault.number ?? status
  const list = [{ code, message }]
  return respond(fault, {
    success: false,
    result: [],
    messages: [],
    error: list,
    errors: list,
    name: 'AiGatewayError',
    httpCode: status,
    internalCode: code,
    message,
    description: message,
  })
}

/** What a policy says has one shape on every surface (contract 2.5). */
export const policyResponse = (fault: PolicyFault): Response => respond(fault, fault.body)

function respond(fault: GatewayFault, body: unknown): Response {
  return new Response(JSON.stringify(body), { status: fault.status, headers: faultHeaders(fault) })
}

/** The headers of a refusal, whatever its body looks like. */
export function faultHeaders({ status, retryAfter, told }: GatewayFault): Headers {
  const headers = new Headers(told)
  headers.set('content-type', 'application/json')
  if (retryAfter !== undefined) headers.set('retry-after', String(retryAfter))
  if (status === 401) headers.set('www-authenticate', 'Bearer')
  return headers
}

export const internalFault = () =>
  new GatewayFault({ status: 500, code: 'internal', message: 'a fault of the gateway itself; its log says more' })

/** Nothing is at that address. */
export function notFound(request: Request): GatewayFault {
  return new GatewayFault({
    status: 404,
    code: 'not_found',
    type: 'not_found_error',
    message: `there is nothing at ${request.method} ${pathOf(request.url).slice(0, 200)}; the addresses are listed at /docs, chat is at POST /v1/{account}/{gateway}/compat/chat/completions`,
  })
}
