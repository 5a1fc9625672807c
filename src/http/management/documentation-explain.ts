import { type LogExplanation, LogExplanationAnswer } from '../../schemas/management/explain.ts'
import { accountAndGateway, componentOf, pathParameter } from '../documentation-headers.ts'
import { route } from '../documentation-operation.ts'
import { answer, GATEWAY, OF_ONE, operation } from './documentation-parts.ts'

/** Why a request became what it became, in the document. */

const id = '019a9f0c-6f5e-7c3a-9d51-0a6b1a3f2e77'

const example: LogExplanation = {
  summary: 'anthropic/claude-sonnet-4-5 answered in 812 ms for $0.001638.',
  log_id: id,
  request_id: id,
  other_requests: [],
  at: '2026-11-20T09:00:00.000Z',
  duration: 812.4,
  status: 200,
  token: 'laptop',
  authentication: 'the token "laptop"',
  user_agent: 'OpenAI/JS 7.55.0',
  gateway: 'default',
  method: 'POST',
  path: '/v1/home/default/compat/chat/completions',
  surface: 'compat',
  settings: [
    { name: 'cache_ttl', value: 60, from: 'header', at: 'cf-aig-cache-ttl', instead_of: 300 },
    { name: 'retry_max_attempts', value: 3, from: 'file', at: 'postern.yaml:12' },
  ],
  route: [],
  cache: {
    hit: false,
    key: 'default:3f0a…',
    ttl: 60,
    named: false,
    parts: [
      { name: 'provider', value: 'anthropic' },
      { name: 'model', value: 'claude-sonnet-4-5' },
      { name: 'credential', value: '"default" of the house' },
    ],
  },
  attempts: [
    {
      log_id: id,
      attempt: 1,
      provider: 'anthropic',
      model: 'claude-sonnet-4-5',
      status: 200,
      cached: false,
      answered: true,
      key: '"default" of the house',
      started: 0,
      first_byte: 640.2,
      ended: 812.4,
      tokens_in: 21,
      tokens_out: 105,
      cost: '0.001638',
      limits: [],
    },
  ],
  bodies: {
    kept: true,
    note: 'It was written anew in the provider’s dialect.',
    from: 'openai-chat',
    to: 'anthropic-messages',
    dropped: ['seed'],
    changes: [
      { change: 'changed', path: 'model', before: '"anthropic/claude-sonnet-4-5"', after: '"claude-sonnet-4-5"' },
      { change: 'moved', path: 'messages[0].content', to: 'system[0].text', before: '"You are brief."' },
      { change: 'dropped', path: 'seed', before: '4711' },
    ],
    omitted: 0,
  },
  answer: { text: 'The heron stands in the reeds.', finish: 'stop', tool_calls: [], assembled: false },
  cost: {
    amount: '0.001638',
    lines: [
      { what: 'input', units: 21, each: '0.000003', amount: '0.000063' },
      { what: 'output', units: 105, each: '0.000015', amount: '0.001575' },
    ],
    note: 'The bundled price list.',
    source: 'list',
    estimated: false,
    unpriced: [],
  },
}

export const explainOperations = {
  explainLog: route(
    'GET',
    `${GATEWAY}/logs/:id/explain`,
    operation('explainLog', 'What happened to a request', {
      description:
        'Who asked, the settings in force and where each came from, every attempt with its timing, what translation made of the body, and the arithmetic of the cost. Not of Cloudflare’s.',
      parameters: [
        ...accountAndGateway,
        componentOf('Explained', pathParameter('id', 'The id of the log, of the request or of the event.', id)),
      ],
      answer: answer(LogExplanationAnswer, example),
      refusals: OF_ONE,
    }),
  ),
}
