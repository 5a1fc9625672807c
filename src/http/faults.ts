import type { TSchema } from '@sinclair/typebox'
import { GatewayFault } from '../gateway/fault.ts'
import { explain } from '../schemas/explain.ts'

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

/** What a body that does not fit its schema has wrong, in one sentence. */
export function schemaFault(schema: TSchema, value: unknown): GatewayFault {
  const said = explain(schema, value)
  return new GatewayFault({
    status: 400,
    code: 'invalid_request',
    message: said?.message ?? 'the body does not fit the schema of this operation',
    ...(said?.path && { param: said.path }),
  })
}

export const internalFault = () =>
  new GatewayFault({ status: 500, code: 'internal', message: 'a fault of the gateway itself; its log says more' })
