import { expect, test } from 'bun:test'
import { anthropicMessages } from '../../../src/dialects/anthropic-messages/index.ts'

const wire = (type: string, message = 'Said.', more = {}) => ({
  type: 'error',
  error: { type, message, ...more },
  request_id: 'req_1',
})

test.each([
  [400, wire('invalid_request_error'), 'invalid_request_error', 'invalid_request_error'],
  [
    400,
    wire('invalid_request_error', 'prompt is too long: 9 tokens > 8 maximum'),
    'invalid_request_error',
    'context_length_exceeded',
  ],
  [401, wire('authentication_error'), 'authentication_error', 'authentication_error'],
  [404, wire('not_found_error'), 'not_found_error', 'not_found_error'],
  [429, wire('rate_limit_error'), 'rate_limit_error', 'rate_limit_error'],
  [
    429,
    wire('rate_limit_error', 'Said.', { details: { error_code: 'contract_spend_limit_reached' } }),
    'rate_limit_error',
    'contract_spend_limit_reached',
  ],
  [500, wire('api_error'), 'server_error', 'api_error'],
  [529, wire('overloaded_error'), 'overloaded_error', 'overloaded_error'],
  [502, '<html><head><title>Bad gateway</title></head></html>', 'server_error', null],
  [503, '', 'server_error', null],
  [403, { detail: 'no access' }, 'permission_error', null],
])('%i %j', (status, body, type, code) => {
  const error = anthropicMessages.readError(status, body)
  expect(error).toMatchObject({ status, type, code })
  expect(error.message).toBeTruthy()
  if (typeof body === 'object' && 'error' in body) expect(error.message).toBe(body.error.message)
})
