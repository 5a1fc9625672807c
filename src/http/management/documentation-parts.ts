import { OptionalKind, type TObject, type TSchema } from '@sinclair/typebox'
import { ManagementError } from '../../schemas/management/envelope.ts'
import { json, named, type Response } from '../documentation-errors.ts'
import { componentOf } from '../documentation-headers.ts'
import type { Operation } from '../documentation-operation.ts'

/** What the operations of the management API have in common in the document. */

/** Below which its addresses stand. */
export const BASE = '/client/v4/accounts/:account/ai-gateway'
export const GATEWAY = `${BASE}/gateways/:gateway`
export const TOKENS = '/client/v4/accounts/:account/tokens'

/** `Authorization` alone is told of; the headers of Cloudflare's older credentials take a token too. */
const security = [{ token: [] }]

const refusal = (description: string, code: number, message: string, path?: string[]): Response =>
  json(description, ManagementError, {
    success: false,
    errors: [{ code, message, ...(path && { path }) }],
    messages: [],
    result: null,
  })

const refusals = named('Management', {
  '400': refusal('Something does not fit.', 7_001, 'per_page: expected at most 50', ['query', 'per_page']),
  '401': refusal(
    'The token is missing or wrong, or there is no such account.',
    10_000,
    'Authentication error: send a token of this gateway as `Authorization: Bearer <token>`',
  ),
  '403': refusal('The token does not allow this.', 10_000, 'the token "laptop" lacks the permission "edit"'),
  '404': refusal('There is no such object.', 7_002, 'there is no such gateway'),
  '409': refusal(
    'The name is taken, or the object is not for the API to change.',
    409,
    'the key "default" for openai is declared in postern.yaml:12: change it there',
  ),
  '413': refusal(
    'The body is larger than the configuration’s `server.max_body`.',
    413,
    'the body is larger than 104857600 bytes (server.max_body in postern.yaml)',
  ),
  '500': refusal('A fault of the gateway.', 500, 'a fault of the gateway itself; its log says more'),
})

function refusalsOf(statuses: readonly number[]): Record<string, Response> {
  return Object.fromEntries(statuses.map(status => [String(status), refusals[status]!]))
}
/** What can go wrong with anything. */
export const ALWAYS = [400, 401, 403, 500]
/** With what may not be there. */
export const OF_ONE = [400, 401, 403, 404, 500]
/** With what may not be changed. */
export const OF_CHANGE = [400, 401, 403, 404, 409, 413, 500]

export const answer = (schema: TSchema, result: unknown, info?: unknown): Response =>
  json('The answer in Cloudflare’s envelope.', schema, {
    success: true,
    errors: [],
    messages: [],
    result,
    ...(info !== undefined && { result_info: info }),
  })

/**
 * The members of a query as parameters.
 * @param prefix of their components, where other parameters have the same names and say something else
 */
export const query = ({ properties }: TObject, prefix?: string): unknown[] =>
  Object.entries(properties).map(([name, schema]) => {
    const parameter = {
      name,
      in: 'query',
      required: !(OptionalKind in schema),
      ...(schema.description !== undefined && { description: schema.description as string }),
      schema,
    }
    return prefix === undefined ? parameter : componentOf(prefix, parameter)
  })

export const body = (schema: TSchema, example: unknown): Operation['requestBody'] => ({
  required: true,
  content: { 'application/json': { schema, example } },
})

interface Parts {
  description?: string
  parameters: readonly unknown[]
  requestBody?: Operation['requestBody']
  answer?: Response
  refusals: readonly number[]
}

export const operation = (operationId: string, summary: string, parts: Parts): Operation => ({
  operationId,
  summary,
  ...(parts.description !== undefined && { description: parts.description }),
  tags: ['Management'],
  security,
  parameters: parts.parameters,
  ...(parts.requestBody && { requestBody: parts.requestBody }),
  responses: { ...(parts.answer && { '200': parts.answer }), ...refusalsOf(parts.refusals) },
})
