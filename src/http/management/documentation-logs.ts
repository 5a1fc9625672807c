import { Type } from '@sinclair/typebox'
import {
  ChangedLogAnswer,
  DeletedLogs,
  DeleteLogsQuery,
  ExportQuery,
  LogAnswer,
  LogChange,
  LogLine,
  LogPage,
  LogsQuery,
} from '../../schemas/management/logs.ts'
import { json, type Response } from '../documentation-errors.ts'
import { accountAndGateway, componentOf, pathParameter } from '../documentation-headers.ts'
import { route } from '../documentation-operation.ts'
import { answer, body, GATEWAY, OF_ONE, operation, query } from './documentation-parts.ts'

/** Logs in the document (contract 8.2). */

const LOGS = `${GATEWAY}/logs`

const example = {
  id: '019a9f0c-6f5e-7c3a-9d51-0a6b1a3f2e77',
  created_at: '2026-11-20T10:11:12.345Z',
  provider: 'openai',
  model: 'gpt-5.2',
  path: '/v1/home/default/compat/chat/completions',
  duration: 812.4,
  success: true,
  cached: false,
  tokens_in: 21,
  tokens_out: 96,
  cost: 0.00118,
  custom_cost: false,
  metadata: '{"team":"search"}',
  model_type: 'text-generation',
  request_type: 'chat',
  request_content_type: 'application/json',
  response_content_type: 'application/json',
  status_code: 200,
  step: 0,
  event_id: '019a9f0c-6f5e-7c3a-9d51-0a6b1a3f2e77',
  usage_metadata: { input_tokens: 21, output_tokens: 96, total_tokens: 117, input_cached_tokens: 0 },
  timings: { total: 812.4, latency: 310.2 },
  feedback: null,
  score: null,
  user_agent: 'OpenAI/JS 7.55.0',
  authentication: true,
  wholesale: false,
  byok: true,
  compatibilityMode: true,
  request_id: '019a9f0c-6f5e-7c3a-9d51-0a6b1a3f2e77',
  attempt: 1,
  method: 'POST',
  stream: false,
  token: 'laptop',
  key: 'default',
}
const detail = {
  ...example,
  request_head: '{"model":"openai/gpt-5.2","messages":[{"role":"user","content":"Where does the heron stand?"}]}',
  request_head_complete: true,
  request_size: 95,
  response_head: '{"id":"chatcmpl-1","object":"chat.completion"}',
  response_head_complete: false,
  response_size: 412,
}
const info = {
  page: 1,
  per_page: 20,
  count: 1,
  total_count: 1,
  total_pages: 1,
  min_cost: 0.00118,
  max_cost: 0.00118,
}

const one = [...accountAndGateway, componentOf('Log', pathParameter('id', 'The id of the log.', example.id))]

/** Their own form is the client's affair: see the description. */
const filters = componentOf('Log', {
  name: 'filters',
  in: 'query',
  required: false,
  description:
    'A JSON list of filters that all must hold, each `{"key": …, "operator": "eq" | "neq" | "contains" | "lt" | "gt", "value": […]}`; of its values one suffices. Cloudflare’s client writes the same as `filters.key`, `filters.operator` and `filters.value`, which repeat; `filters[0][key]` is read, too.',
  schema: { type: 'string' },
  example: '[{"key":"provider","operator":"eq","value":["openai","groq"]},{"key":"cost","operator":"gt","value":[1]}]',
})

const raw = (description: string, example: string): Response => ({
  description,
  content: { '*/*': { schema: Type.String(), example } },
})

export const logOperations = {
  listLogs: route(
    'GET',
    LOGS,
    operation('listLogs', 'List logs', {
      parameters: [...accountAndGateway, filters, ...query(LogsQuery, 'Log')],
      answer: answer(LogPage, [example], info),
      refusals: OF_ONE,
    }),
  ),
  deleteLogs: route(
    'DELETE',
    LOGS,
    operation('deleteLogs', 'Delete logs', {
      description: 'All that the filters let through, in their order, up to the limit. The sums of analytics stay.',
      parameters: [...accountAndGateway, filters, ...query(DeleteLogsQuery, 'DeletedLog')],
      answer: json('They are gone.', DeletedLogs, { success: true }),
      refusals: OF_ONE,
    }),
  ),
  exportLogs: route(
    'GET',
    `${LOGS}/export`,
    operation('exportLogs', 'Export logs', {
      description:
        'All that the filters let through, one JSON object in each line, by time. An answer that breaks off is not whole. Not of Cloudflare’s.',
      parameters: [...accountAndGateway, filters, ...query(ExportQuery, 'ExportedLog')],
      answer: {
        description: 'The logs.',
        content: { 'application/x-ndjson': { schema: LogLine, example } },
      },
      refusals: OF_ONE,
    }),
  ),
  getLog: route(
    'GET',
    `${LOGS}/:id`,
    operation('getLog', 'Look at a log', {
      description: 'With the first 4096 bytes of each body.',
      parameters: one,
      answer: answer(LogAnswer, detail),
      refusals: OF_ONE,
    }),
  ),
  changeLog: route(
    'PATCH',
    `${LOGS}/:id`,
    operation('changeLog', 'Say what people think of an answer', {
      parameters: one,
      requestBody: body(LogChange, { feedback: 1, score: 90, metadata: { team: 'search' } }),
      answer: answer(ChangedLogAnswer, { ...example, feedback: 1, score: 90 }),
      refusals: [...OF_ONE, 413],
    }),
  ),
  getLogRequestBody: route(
    'GET',
    `${LOGS}/:id/request`,
    operation('getLogRequestBody', 'The request of a log', {
      description: 'As it is kept: secrets are replaced, and so are large pictures and sounds.',
      parameters: one,
      answer: raw('The body, with the content type that it came with.', detail.request_head),
      refusals: OF_ONE,
    }),
  ),
  getLogResponseBody: route(
    'GET',
    `${LOGS}/:id/response`,
    operation('getLogResponseBody', 'The answer of a log', {
      description: 'As it is kept: a stream is put together into one answer.',
      parameters: one,
      answer: raw('The body, with the content type that it went with.', detail.response_head),
      refusals: OF_ONE,
    }),
  ),
}
