import { type TSchema, Type } from '@sinclair/typebox'
import { RestError } from '../schemas/rest.ts'
import { named, type Response } from './documentation-errors.ts'
import { retryAfter } from './documentation-headers.ts'

/**
 * What can go wrong on the REST plane, in Cloudflare's envelope with `errors` in the plural (contract 1.7).
 * @param name under which these answers are shared in the document
 * @param openai whether the envelope has `error` in OpenAI's shape too
 * @param others the shapes of what a provider says of itself
 */
export function refusals(name: string, openai: boolean, others: TSchema[]): Record<string, Response> {
  const schema = others.length ? Type.Union([RestError, ...others]) : RestError
  const refusal = (description: string, code: number, message: string, type: string, word: string): Response => ({
    description,
    content: {
      'application/json': {
        schema,
        example: {
          result: null,
          success: false,
          errors: [{ code, message }],
          messages: [],
          ...(openai && { error: { message, type, param: null, code: word } }),
        },
      },
    },
  })
  const invalid = 'invalid_request_error'
  return named(name, {
    '400': refusal(
      'The body does not fit, names no known provider, or asks for what the provider cannot do; or there is no such gateway.',
      7_001,
      'model: required',
      invalid,
      'invalid_request',
    ),
    '401': refusal(
      'The token is missing or wrong, or the provider refuses its key.',
      10_000,
      'Authentication error: send a token of this gateway as `Authorization: Bearer <token>`',
      'authentication_error',
      'unauthorized',
    ),
    '403': refusal(
      'The token does not open this gateway, or the provider refuses.',
      10_000,
      'the token "laptop" does not open the gateway "team"',
      'permission_error',
      'forbidden',
    ),
    '404': refusal(
      'The provider has no such model.',
      7_003,
      'the model does not exist',
      'not_found_error',
      'not_found',
    ),
    '413': refusal(
      'The body is larger than the configuration’s `server.max_body`.',
      413,
      'the body is larger than 104857600 bytes (server.max_body in postern.yaml)',
      invalid,
      'request_too_large',
    ),
    '429': {
      ...refusal(
        'The gateway’s or the provider’s limit is reached.',
        2_003,
        'Rate limited',
        'rate_limit_error',
        'rate_limited',
      ),
      headers: retryAfter,
    },
    '500': refusal(
      'A fault of the gateway or of the provider.',
      500,
      'a fault of the gateway itself',
      'server_error',
      'internal',
    ),
    '502': refusal(
      'The provider gave no answer that can be read.',
      2_005,
      'no answer from the provider: the connection was closed',
      'server_error',
      'upstream_closed',
    ),
    '504': refusal(
      'The provider did not answer in time.',
      2_005,
      'no answer from the provider: timed out',
      'timeout_error',
      'upstream_timeout',
    ),
    default: { description: 'Any other refusal of the provider’s.', content: { 'application/json': { schema } } },
  })
}
