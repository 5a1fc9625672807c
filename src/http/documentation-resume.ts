import { Type } from '@sinclair/typebox'
import { RestError } from '../schemas/rest.ts'
import { accountAndGateway, pathParameter, runHeader } from './documentation-headers.ts'
import { type Operation, route } from './documentation-operation.ts'

/** The streams of the run path that a client takes up again (contract 1.10). */

const RUN = '/client/v4/accounts/:account/ai-gateway/gateways/:gateway/run/:run'

const place = [
  ...accountAndGateway,
  pathParameter('run', 'What `cf-aig-run-id` said.', '0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b'),
]

const Gone = Type.Object(
  { error: Type.String({ description: 'One sentence.' }) },
  { $id: 'RunGone', description: 'The stream is not there: it is too old, too long, or another token’s.' },
)

const refusals: Operation['responses'] = {
  '401': {
    description: 'The token is missing or wrong.',
    content: { 'application/json': { schema: RestError } },
  },
  '404': {
    description: 'There is no such stream any more.',
    content: { 'application/json': { schema: Gone, example: { error: 'Request not found' } } },
  },
}

export const resumeOperations = {
  resumeRun: route('GET', `${RUN}/resume`, {
    operationId: 'resumeRun',
    summary: 'Take up a stream again',
    description:
      'The rest of a stream of `/ai/run` whose connection broke. A provider goes on for `server.resume_grace` seconds without a client; what came is kept for five and a half minutes.',
    tags: ['REST'],
    security: [{ token: [] }],
    parameters: [
      ...place,
      {
        name: 'from',
        in: 'query',
        required: false,
        description: 'How many events have come, counted by the blank line behind each.',
        schema: { type: 'integer', minimum: 0, default: 0 },
      },
    ],
    responses: {
      '200': {
        description: 'The events from that one on.',
        headers: runHeader,
        content: { 'text/event-stream': { schema: Type.String({ description: 'The events as they came.' }) } },
      },
      '400': {
        description: '`from` is no number of events.',
        content: { 'application/json': { schema: RestError } },
      },
      ...refusals,
    },
  }),
  stopRun: route('DELETE', RUN, {
    operationId: 'stopRun',
    summary: 'End a stream that nobody takes up again',
    description: 'Stops its provider at once instead of after `server.resume_grace`. Not of Cloudflare’s.',
    tags: ['REST'],
    security: [{ token: [] }],
    parameters: place,
    responses: {
      '200': {
        description: 'It is ended.',
        content: {
          'application/json': {
            schema: Type.Object(
              {
                result: Type.Null(),
                success: Type.Literal(true),
                errors: Type.Array(Type.Unknown()),
                messages: Type.Array(Type.Unknown()),
              },
              { $id: 'RunStopped' },
            ),
          },
        },
      },
      ...refusals,
    },
  }),
}
