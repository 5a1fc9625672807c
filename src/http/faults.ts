import { GatewayFault } from '../gateway/fault.ts'

/** Numbers whose bodies Cloudflare's own clients look into: they find them only in its envelope (contract 2.5). */
const IN_ENVELOPE = new Set([2001, 2009])

/** Any fault as an answer, in the shape that an OpenAI client shows to people. Nothing of the client's input is in it. */
export function faultResponse(fault: GatewayFault): Response {
  const { status, message, type, code, param, number } = fault
  const headers = new Headers({ 'content-type': 'application/json' })
  if (fault.retryAfter !== undefined) headers.set('retry-after', String(fault.retryAfter))
  if (status === 401) headers.set('www-authenticate', 'Bearer')
  const numbered = number === undefined ? undefined : [{ code: number, message }]
  const body =
    number !== undefined && IN_ENVELOPE.has(number)
      ? {
          success: false,
          result: [],
          messages: [],
          error: numbered,
          errors: numbered,
          name: 'AiGatewayError',
          httpCode: status,
          internalCode: number,
          message,
          description: message,
        }
      : {
          error: { message, type, param: param ?? null, code },
          ...(numbered && { success: false, errors: numbered }),
        }
  return new Response(JSON.stringify(body), { status, headers })
}

export const internalFault = () =>
  new GatewayFault({ status: 500, code: 'internal', message: 'a fault of the gateway itself; its log says more' })
