import { type TSchema, Type } from '@sinclair/typebox'
import { ErrorResponse, GatewayError } from '../schemas/errors.ts'
import { retryAfter } from './documentation-headers.ts'

/** The answers that operations share: what can go wrong, and in which shape it is told. */

export interface Response {
  /** The name under which several operations share it in the document. */
  'x-component'?: string
  description: string
  headers?: Record<string, unknown>
  content?: Record<string, { schema: TSchema; example?: unknown; examples?: Record<string, unknown> }>
}

export const json = (description: string, schema: TSchema, example?: unknown): Response => ({
  description,
  content: { 'application/json': { schema, ...(example !== undefined && { example }) } },
})

/** Names answers that several operations share: `Chat404`. */
export const named = (prefix: string, responses: Record<string, Response>): Record<string, Response> =>
  Object.fromEntries(
    Object.entries(responses).map(([status, response]) => [
      status,
      { 'x-component': `${prefix}${status === 'default' ? 'Other' : status}`, ...response },
    ]),
  )

/** An error with an example of it; `code` is the gateway's own word, absent where the provider speaks. */
const failure = (
  description: string,
  error: { message: string; type: string; param?: string; code?: string },
  headers?: Record<string, unknown>,
): Response => ({
  ...json(description, ErrorResponse, { error: { param: null, code: null, ...error } }),
  ...(headers && { headers }),
})

/** What the gateway itself says of tokens and gateways stands in Cloudflare's envelope, where its clients look for it. */
export const envelope = (code: number, httpCode: number, message: string) => ({
  success: false,
  result: [],
  messages: [],
  error: [{ code, message }],
  errors: [{ code, message }],
  name: 'AiGatewayError',
  httpCode,
  internalCode: code,
  message,
  description: message,
})

const EitherError = Type.Union([ErrorResponse, GatewayError])

/** An answer that comes in OpenAI's shape from the provider, and in the envelope from the gateway. */
const either = (description: string, examples: Record<string, unknown>): Response => ({
  description,
  content: {
    'application/json': {
      schema: EitherError,
      examples: Object.fromEntries(Object.entries(examples).map(([name, value]) => [name, { value }])),
    },
  },
})

export const noToken = json('The token is missing or wrong.', GatewayError, envelope(2009, 401, 'Unauthorized'))
export const notOpened = json(
  'The token does not open this gateway.',
  GatewayError,
  envelope(2009, 403, 'the token "laptop" does not open the gateway "team"'),
)
const unauthorized = either('The token is missing or wrong, or the provider refuses its key.', {
  gateway: envelope(2009, 401, 'Unauthorized'),
  provider: {
    error: {
      message: 'Incorrect API key provided',
      type: 'invalid_request_error',
      param: null,
      code: 'invalid_api_key',
    },
  },
})
const forbidden = either('The token does not open this gateway, or the provider refuses.', {
  gateway: envelope(2009, 403, 'the token "laptop" does not open the gateway "team"'),
  provider: { error: { message: 'Permission denied', type: 'permission_error', param: null, code: null } },
})
export const internal = failure('A fault of the gateway or of the provider.', {
  message: 'internal error',
  type: 'server_error',
})

export const chatErrors = named('Chat', {
  '400': either(
    'The body is not a chat request, names no known provider, or asks for what the provider’s format cannot express; or there is no such gateway.',
    {
      body: {
        error: {
          message: 'messages[2].content: required',
          type: 'invalid_request_error',
          param: 'messages[2].content',
          code: 'invalid_request',
        },
      },
      gateway: envelope(2001, 400, 'Please configure AI Gateway: there is no gateway "team"'),
    },
  ),
  '401': unauthorized,
  '402': failure('The provider wants to be paid.', { message: 'Insufficient balance', type: 'insufficient_quota' }),
  '403': forbidden,
  '404': failure('The provider has no such model.', { message: 'the model does not exist', type: 'not_found_error' }),
  '413': failure('The body is larger than the configuration’s `server.max_body`.', {
    message: 'the body is larger than 104857600 bytes',
    type: 'invalid_request_error',
  }),
  '429': failure(
    'The gateway’s or the provider’s limit is reached.',
    { message: 'Rate limited', type: 'rate_limit_error' },
    retryAfter,
  ),
  '500': internal,
  '502': failure('The provider gave no answer that can be read.', {
    message: 'no answer from openai: the connection was closed',
    type: 'server_error',
    code: 'upstream_closed',
  }),
  '503': failure('The provider is overloaded.', { message: 'Overloaded', type: 'server_error' }, retryAfter),
  '504': failure('The provider did not answer in time.', {
    message: 'no answer from openai: timed out',
    type: 'timeout_error',
    code: 'upstream_timeout',
  }),
})
