import type { TSchema } from '@sinclair/typebox'
import type { DocumentDecoration } from 'elysia'
import { ChatCompletionChunk } from '../schemas/chat-chunk.ts'
import { ChatCompletion } from '../schemas/chat-reply.ts'
import { ChatCompletionRequest } from '../schemas/chat-request.ts'
import { ErrorResponse } from '../schemas/errors.ts'
import { Health, Readiness } from '../schemas/health.ts'
import { ModelList } from '../schemas/models.ts'
import { anyObject } from '../schemas/open.ts'
import { chatExamples, chunkExample, completionExample, modelsExample } from './documentation-examples.ts'
import { accountAndGateway, callHeaders, replyHeaders, retryAfter } from './documentation-headers.ts'

/**
 * The documented routes: address, operation, schemas and errors of each, in one place. The routes take their `path` and
 * `detail` from here; http/openapi.ts makes the document of them. A schema with an `$id` becomes a component of that name.
 */

interface Response {
  description: string
  headers?: Record<string, unknown>
  content?: Record<string, { schema: TSchema; example?: unknown; examples?: Record<string, unknown> }>
}

interface Operation {
  operationId: string
  summary: string
  description?: string
  tags: string[]
  security?: Record<string, string[]>[]
  parameters?: readonly unknown[]
  requestBody?: { required: true; description?: string; content: NonNullable<Response['content']> }
  responses: Record<string, Response>
}

/** Elysia types `detail` as OpenAPI 3.0, which has no words for the JSON Schema that TypeBox writes and 3.1 takes. */
const route = <const Path extends string>(path: Path, operation: Operation) => ({
  path,
  detail: operation as unknown as DocumentDecoration,
})

const json = (description: string, schema: TSchema, example?: unknown): Response => ({
  description,
  content: { 'application/json': { schema, ...(example !== undefined && { example }) } },
})

/** An error with an example of it; `code` is the gateway's own word, absent where the provider speaks. */
const failure = (
  description: string,
  error: { message: string; type: string; param?: string; code?: string },
  headers?: Record<string, unknown>,
): Response => ({
  ...json(description, ErrorResponse, { error: { param: null, code: null, ...error } }),
  ...(headers && { headers }),
})

const unauthorized = failure('The token is missing or wrong.', {
  message: 'Unauthorized: send a token of this gateway',
  type: 'authentication_error',
  code: 'unauthorized',
})
const forbidden = failure('The token does not open this gateway, or the provider refuses.', {
  message: 'this token does not open the gateway',
  type: 'permission_error',
})
const internal = failure('A fault of the gateway or of the provider.', {
  message: 'internal error',
  type: 'server_error',
})

const chatErrors: Record<string, Response> = {
  '400': failure(
    'The body is not a chat request, names no known provider, or asks for what the provider’s format cannot express.',
    {
      message: 'model: required, as "<provider>/<model>"',
      type: 'invalid_request_error',
      param: 'model',
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
}

const chat = (operationId: string, summary: string, description: string, place: readonly unknown[]): Operation => ({
  operationId,
  summary,
  description,
  tags: ['Chat'],
  parameters: [...place, ...callHeaders],
  requestBody: {
    required: true,
    content: { 'application/json': { schema: ChatCompletionRequest, examples: chatExamples } },
  },
  responses: {
    '200': {
      description: 'The answer: one JSON object or, with `"stream": true`, server-sent events.',
      headers: replyHeaders,
      content: {
        'application/json': { schema: ChatCompletion, example: completionExample },
        'text/event-stream': { schema: ChatCompletionChunk, example: chunkExample },
      },
    },
    ...chatErrors,
  },
})

const models = (operationId: string, summary: string, description: string, place: readonly unknown[]): Operation => ({
  operationId,
  summary,
  description,
  tags: ['Models'],
  ...(place.length > 0 && { parameters: place }),
  responses: {
    '200': json('The models, with their prices where they are known.', ModelList, modelsExample),
    '401': unauthorized,
    '403': forbidden,
    '500': internal,
  },
})

/** Open to monitors, which hold no token. */
const anyone = { security: [] }

/** The server's own answer, before any route is asked. */
const oversized: Record<string, Response> = {
  '431': { description: 'The headers are larger than the server takes. There is no body.' },
}

export const routes = {
  createChatCompletion: route(
    '/v1/chat/completions',
    chat(
      'createChatCompletion',
      'Ask a model',
      'Sends a conversation to the provider that `model` names and answers in OpenAI’s form, whichever form the provider has. The gateway is `default`.',
      [],
    ),
  ),
  createGatewayChatCompletion: route(
    '/v1/:account/:gateway/compat/chat/completions',
    chat(
      'createGatewayChatCompletion',
      'Ask a model through a gateway',
      'The same through a gateway of choice, at the address that Cloudflare AI Gateway has for it.',
      accountAndGateway,
    ),
  ),
  listModels: route(
    '/v1/models',
    models('listModels', 'List models', 'The models that the gateway `default` can reach.', []),
  ),
  listGatewayModels: route(
    '/v1/:account/:gateway/compat/models',
    models(
      'listGatewayModels',
      'List models of a gateway',
      'The same for a gateway of choice, at Cloudflare’s address.',
      accountAndGateway,
    ),
  ),
  getHealth: route('/healthz', {
    operationId: 'getHealth',
    summary: 'Whether the process runs',
    tags: ['Operations'],
    ...anyone,
    responses: { '200': json('It runs.', Health, { status: 'ok' }), ...oversized },
  }),
  getReadiness: route('/readyz', {
    operationId: 'getReadiness',
    summary: 'Whether it takes requests',
    tags: ['Operations'],
    ...anyone,
    responses: {
      '200': json('It takes requests.', Readiness, { status: 'ready' }),
      ...oversized,
      '503': json('It does not: it starts, it stops, or its database is out of reach.', Readiness, {
        status: 'not_ready',
      }),
    },
  }),
  getOpenapiDocument: route('/openapi.json', {
    operationId: 'getOpenapiDocument',
    summary: 'This document',
    tags: ['Operations'],
    ...anyone,
    responses: { '200': json('The OpenAPI document, to generate clients from.', anyObject()), ...oversized },
  }),
}

/** What the document says of itself and of the groups of operations. */
export const about = {
  title: 'Postern',
  description: [
    'A self-hosted AI gateway in one executable, keeping the contract of Cloudflare AI Gateway.',
    'Any OpenAI client works with it: set its base URL to `http://<host>:8787/v1`, its key to a token of the gateway, and name models as `<provider>/<model>`.',
    'Objects may hold members that this document does not name.',
  ].join('\n\n'),
  license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  server: {
    url: 'http://127.0.0.1:8787',
    description: 'A gateway on this machine, as it starts without a configuration.',
  },
  tags: [
    { name: 'Chat', description: 'Conversations in the form of OpenAI Chat Completions, with every provider.' },
    { name: 'Models', description: 'What can be given as `model`.' },
    { name: 'Operations', description: 'For load balancers, monitors and generators of clients.' },
  ],
  securitySchemes: {
    token: {
      type: 'http',
      scheme: 'bearer',
      description: 'A token of the gateway as `Authorization: Bearer <token>`, where OpenAI’s clients put their key.',
    },
    gatewayToken: {
      type: 'apiKey',
      in: 'header',
      name: 'cf-aig-authorization',
      description: 'A token of the gateway as `Bearer <token>`, where `Authorization` holds the provider’s key.',
    },
  },
  security: [{ token: [] }, { gatewayToken: [] }],
}
