import { type Static, Type } from '@sinclair/typebox'
import { anyObject, nullable, open, optional } from './open.ts'

/** An error in OpenAI's shape, the only one in which OpenAI's clients find the message. */
export const ErrorResponse = open(
  {
    error: open({
      message: Type.String({ description: 'What went wrong, for people.' }),
      type: nullable(Type.String(), {
        description: '`invalid_request_error`, `rate_limit_error`, `server_error`, … or the provider’s own word.',
      }),
      param: optional(Type.String(), { description: 'The member of the request that is at fault, as a path.' }),
      code: optional(Type.Union([Type.String(), Type.Integer()]), { description: 'A word or number for programs.' }),
    }),
  },
  {
    $id: 'ErrorResponse',
    description: 'An error of the gateway or of the provider. A provider’s error keeps its status and its own words.',
    examples: [
      {
        error: {
          message: 'messages[2].content: required',
          type: 'invalid_request_error',
          param: 'messages[2].content',
          code: null,
        },
      },
    ],
  },
)

const CodeAndMessage = open({ code: Type.Integer(), message: Type.String() })

/**
 * Cloudflare's envelope of errors that the gateway itself makes on provider-native and universal addresses. `error` is
 * singular and a list, `result` an empty list: its client looks for exactly that. `errors` says the same to clients
 * that look for the plural (contract 2.5).
 */
export const GatewayError = open(
  {
    success: Type.Literal(false),
    result: Type.Array(anyObject(), { maxItems: 0 }),
    messages: Type.Array(anyObject()),
    error: Type.Array(CodeAndMessage, { minItems: 1 }),
    errors: Type.Optional(Type.Array(CodeAndMessage, { minItems: 1 })),
    name: Type.Literal('AiGatewayError'),
    httpCode: Type.Integer(),
    internalCode: Type.Integer(),
    message: Type.String(),
    description: Type.String(),
  },
  { $id: 'GatewayError', description: 'An error of the gateway itself, in Cloudflare AI Gateway’s envelope.' },
)

export type ErrorResponse = Static<typeof ErrorResponse>
export type GatewayError = Static<typeof GatewayError>
