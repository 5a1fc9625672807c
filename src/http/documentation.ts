import { Type } from '@sinclair/typebox'
import { ChatCompletionChunk } from '../schemas/chat-chunk.ts'
import { ChatCompletion } from '../schemas/chat-reply.ts'
import { ChatCompletionRequest } from '../schemas/chat-request.ts'
import { GatewayError } from '../schemas/errors.ts'
import { Health, Readiness } from '../schemas/health.ts'
import { ModelList } from '../schemas/models.ts'
import { anyObject } from '../schemas/open.ts'
import { chatErrors, envelope, internal, json, noToken, notOpened, type Response } from './documentation-errors.ts'
import { chatExamples, chunkExample, completionExample, modelsExample } from './documentation-examples.ts'
import { accountAndGateway, callHeaders, replyHeaders } from './documentation-headers.ts'
import { nativeOperations, providerKeySchemes } from './documentation-native.ts'
import { type Operation, route } from './documentation-operation.ts'
import { restOperations } from './documentation-rest.ts'
import { resumeOperations } from './documentation-resume.ts'
import { universalOperation } from './documentation-universal.ts'
import { managementOperations } from './management/documentation.ts'

/**
 * The documented routes: address, operation, schemas and errors of each, in one place. The routes take their `path` and
 * `detail` from here; http/openapi.ts makes the document of them. A schema with an `$id` becomes a component of that name.
 */

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
    ...(place.length > 0 && {
      '400': json(
        'There is no such gateway.',
        GatewayError,
        envelope(2001, 400, 'Please configure AI Gateway: there is no gateway "team"'),
      ),
    }),
    '401': noToken,
    '403': notOpened,
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
    'POST',
    '/v1/chat/completions',
    chat(
      'createChatCompletion',
      'Ask a model',
      'Sends a conversation to the provider that `model` names and answers in OpenAI’s form, whichever form the provider has. The gateway is `default`.',
      [],
    ),
  ),
  createGatewayChatCompletion: route(
    'POST',
    '/v1/:account/:gateway/compat/chat/completions',
    chat(
      'createGatewayChatCompletion',
      'Ask a model through a gateway',
      'The same through a gateway of choice, at the address that Cloudflare AI Gateway has for it.',
      accountAndGateway,
    ),
  ),
  listModels: route(
    'GET',
    '/v1/models',
    models('listModels', 'List models', 'The models that the gateway `default` can reach.', []),
  ),
  listGatewayModels: route(
    'GET',
    '/v1/:account/:gateway/compat/models',
    models(
      'listGatewayModels',
      'List models of a gateway',
      'The same for a gateway of choice, at Cloudflare’s address.',
      accountAndGateway,
    ),
  ),
  getHealth: route('GET', '/healthz', {
    operationId: 'getHealth',
    summary: 'Whether the process runs',
    tags: ['Operations'],
    ...anyone,
    responses: { '200': json('It runs.', Health, { status: 'ok' }), ...oversized },
  }),
  getReadiness: route('GET', '/readyz', {
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
  getMetrics: route('GET', '/metrics', {
    operationId: 'getMetrics',
    summary: 'Numbers for Prometheus',
    description:
      'Requests, errors, tokens, cost, durations, cache, limits, queues and the processes themselves, in Prometheus’ text format, or in that of OpenMetrics where the request accepts it. Needs a token with the permission `read` for all gateways, unless the file says `server.metrics: open`.',
    tags: ['Operations'],
    responses: {
      '200': {
        description: 'The metrics.',
        content: { 'text/plain': { schema: Type.String(), example: 'postern_open_streams 3\n' } },
      },
      '401': noToken,
      '403': notOpened,
      ...oversized,
      '500': internal,
    },
  }),
  getOpenapiDocument: route('GET', '/openapi.json', {
    operationId: 'getOpenapiDocument',
    summary: 'This document',
    tags: ['Operations'],
    ...anyone,
    responses: { '200': json('The OpenAPI document, to generate clients from.', anyObject()), ...oversized },
  }),
}

/** Every documented route. */
export const documented = [
  ...Object.values(routes),
  universalOperation,
  ...nativeOperations,
  ...Object.values(restOperations),
  ...Object.values(resumeOperations),
  ...Object.values(managementOperations),
]

/** What the document says of itself and of the groups of operations. */
export const about = {
  title: 'Postern',
  description: [
    'A self-hosted AI gateway in one executable, keeping the contract of Cloudflare AI Gateway.',
    'Any OpenAI client works with it: set its base URL to `http://<host>:8787/v1`, its key to a token of the gateway, and name models as `<provider>/<model>`.',
    'Clients of a provider, and of Cloudflare AI Gateway, work with another base address alone: see the groups below.',
    'Objects may hold members that this document does not name. Refusals tell of themselves in the same headers `cf-aig-*` as answers.',
  ].join('\n\n'),
  license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  server: {
    url: 'http://127.0.0.1:8787',
    description: 'A gateway on this machine, as it starts without a configuration.',
  },
  tags: [
    { name: 'Chat', description: 'Conversations in the form of OpenAI Chat Completions, with every provider.' },
    { name: 'Models', description: 'What can be given as `model`.' },
    {
      name: 'Providers',
      description: 'Every provider in its own format, for the provider’s own clients.',
    },
    {
      name: 'Universal',
      description: 'Several providers in turn, each in its own format, for the first answer that succeeds.',
    },
    {
      name: 'REST',
      description:
        'The addresses of Cloudflare’s REST API. Answers of `/ai/run` come in its envelope, those below `/ai/v1` as OpenAI’s and Anthropic’s clients expect them.',
    },
    {
      name: 'Management',
      description:
        'Cloudflare’s management API of AI Gateway, for its own client: `CLOUDFLARE_BASE_URL=http://<host>:8787/client/v4`. A token needs the permission `read` to look, and `edit` for anything else.',
    },
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
    ...providerKeySchemes,
  },
  security: [{ token: [] }, { gatewayToken: [] }],
}
