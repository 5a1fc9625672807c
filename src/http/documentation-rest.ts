import { type TSchema, Type } from '@sinclair/typebox'
import { ChatCompletionChunk } from '../schemas/chat-chunk.ts'
import { ChatCompletion } from '../schemas/chat-reply.ts'
import { ChatCompletionRequest } from '../schemas/chat-request.ts'
import { ErrorResponse } from '../schemas/errors.ts'
import { hostedInput, hostedModel, runExamples, runReplyExample } from '../schemas/examples.ts'
import { anyObject } from '../schemas/open.ts'
import {
  EmbeddingsReply,
  EmbeddingsRequest,
  MessagesReply,
  MessagesRequest,
  ProviderError,
  ResponsesReply,
  ResponsesRequest,
} from '../schemas/passed.ts'
import { RunReply, RunRequest } from '../schemas/rest.ts'
import type { Response } from './documentation-errors.ts'
import { chatExamples, chunkExample, completionExample } from './documentation-examples.ts'
import { account, callHeaders, gatewayHeader, pathParameter, replyHeaders, runHeader } from './documentation-headers.ts'
import { type Operation, route } from './documentation-operation.ts'
import { refusals } from './documentation-rest-errors.ts'

/** Cloudflare's REST plane of the document (contract 1.1, rows 11 to 16, and 1.7). */

/** Below which the plane's addresses stand. */
export const ACCOUNT = '/client/v4/accounts/:account/ai'
const WHERE =
  'Models are named `<author>/<model>`, or `@cf/<author>/<model>` for Workers AI; `cf-aig-gateway-id` chooses the gateway.'

/** `Authorization` alone counts here. */
const security = [{ token: [] }]

const events = (description: string) => Type.String({ description })

type Content = NonNullable<Response['content']>

const answer = (description: string, content: Content, more: Record<string, unknown> = {}): Response => ({
  description,
  headers: { ...replyHeaders, ...more },
  content,
})

const operation = (
  operationId: string,
  summary: string,
  description: string,
  parts: Pick<Operation, 'requestBody' | 'responses'> & { place?: readonly unknown[] },
): Operation => ({
  operationId,
  summary,
  description: `${description}\n\n${WHERE}`,
  tags: ['REST'],
  security,
  parameters: [account, ...(parts.place ?? []), gatewayHeader, ...callHeaders],
  requestBody: parts.requestBody,
  responses: parts.responses,
})

const body = (schema: TSchema, examples?: Record<string, unknown>): Operation['requestBody'] => ({
  required: true,
  content: { 'application/json': { schema, ...(examples && { examples }) } },
})

const runContent: Content = {
  'application/json': { schema: RunReply, example: runReplyExample },
  'text/event-stream': {
    schema: events('The events of the format that `result` has, ending with `data: [DONE]` in OpenAI’s.'),
  },
  '*/*': { schema: Type.String({ format: 'binary', description: 'Pictures and speech, as the model gives them.' }) },
}

const run = answer(
  'The answer in Cloudflare’s envelope; streams, and what is no JSON, as they are.',
  runContent,
  runHeader,
)

const refusalsOfPassed = refusals('RestPassed', true, [ProviderError])

/** A format that passes as it is: what is asked, what comes, and in which words a stream speaks. */
const passed = (request: TSchema, reply: TSchema, stream?: string): Pick<Operation, 'requestBody' | 'responses'> => ({
  requestBody: body(request),
  responses: {
    '200': answer('The provider’s answer, as it came.', {
      'application/json': { schema: reply },
      ...(stream !== undefined && { 'text/event-stream': { schema: events(stream) } }),
    }),
    ...refusalsOfPassed,
  },
})

export const restOperations = {
  runModel: route(
    'POST',
    `${ACCOUNT}/run`,
    operation(
      'runModel',
      'Run a model',
      'Asks a model, whichever it is. Conversations are in OpenAI’s form with every author but Anthropic, whose own form stays.',
      { requestBody: body(RunRequest, runExamples), responses: { '200': run, ...refusals('Run', false, []) } },
    ),
  ),
  runNamedModel: route(
    'POST',
    `${ACCOUNT}/run/*`,
    operation(
      'runNamedModel',
      'Run the model that the address names',
      'The older form: the model is in the address, and the body is its input. What Workers AI answers comes as it is, refusals too. Slashes in the model’s name may be escaped.',
      {
        place: [pathParameter('model', 'The model.', hostedModel)],
        requestBody: {
          required: true,
          description: 'The input of the model: JSON for most, the bytes of a file for some of Workers AI’s.',
          content: {
            'application/json': { schema: anyObject(), example: hostedInput },
            'application/octet-stream': { schema: Type.String({ format: 'binary' }) },
          },
        },
        responses: { '200': run, ...refusals('RunNamed', false, [ProviderError]) },
      },
    ),
  ),
  createAccountChatCompletion: route(
    'POST',
    `${ACCOUNT}/v1/chat/completions`,
    operation('createAccountChatCompletion', 'Ask a model', 'OpenAI Chat Completions with every provider.', {
      requestBody: body(ChatCompletionRequest, chatExamples),
      responses: {
        '200': answer('The answer: one JSON object or, with `"stream": true`, server-sent events.', {
          'application/json': { schema: ChatCompletion, example: completionExample },
          'text/event-stream': { schema: ChatCompletionChunk, example: chunkExample },
        }),
        ...refusals('RestChat', true, [ErrorResponse]),
      },
    }),
  ),
  createAccountEmbeddings: route(
    'POST',
    `${ACCOUNT}/v1/embeddings`,
    operation(
      'createAccountEmbeddings',
      'Make vectors of texts',
      'OpenAI Embeddings, with providers that have them in that form. Only the model’s name is changed.',
      passed(EmbeddingsRequest, EmbeddingsReply),
    ),
  ),
  createAccountMessage: route(
    'POST',
    `${ACCOUNT}/v1/messages`,
    operation(
      'createAccountMessage',
      'Ask a model in Anthropic’s form',
      'Anthropic Messages, with providers that speak it. Only the model’s name is changed.',
      passed(
        MessagesRequest,
        MessagesReply,
        'The events of Anthropic Messages, from `message_start` to `message_stop`.',
      ),
    ),
  ),
  createAccountResponse: route(
    'POST',
    `${ACCOUNT}/v1/responses`,
    operation(
      'createAccountResponse',
      'Ask a model in the form of OpenAI Responses',
      'OpenAI Responses, with providers that have it. Only the model’s name is changed.',
      passed(
        ResponsesRequest,
        ResponsesReply,
        'The events of OpenAI Responses, from `response.created` to `response.completed`.',
      ),
    ),
  ),
}

export type RestOperation = (typeof restOperations)[keyof typeof restOperations]
