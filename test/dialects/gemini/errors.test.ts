import { expect, test } from 'bun:test'
import { gemini } from '../../../src/dialects/gemini/index.ts'

const wrong = (code: number, status: string, message: string, details?: unknown[]) => ({
  error: { code, message, status, ...(details && { details }) },
})

test.each([
  [400, wrong(400, 'INVALID_ARGUMENT', 'bad schema'), 'invalid_request_error', 'INVALID_ARGUMENT', 'bad schema'],
  [403, wrong(403, 'PERMISSION_DENIED', 'not yours'), 'permission_error', 'PERMISSION_DENIED', 'not yours'],
  [404, wrong(404, 'NOT_FOUND', 'no such model'), 'not_found_error', 'NOT_FOUND', 'no such model'],
  [503, wrong(503, 'UNAVAILABLE', 'overloaded'), 'server_error', 'UNAVAILABLE', 'overloaded'],
  [400, [wrong(400, 'INVALID_ARGUMENT', 'in a list')], 'invalid_request_error', 'INVALID_ARGUMENT', 'in a list'],
  [502, '<html><head><title>Bad Gateway</title></head></html>', 'server_error', null, /Bad Gateway/],
  [500, '', 'server_error', null, /500/],
] as const)('status %d is kept, with message, type and code', (status, body, type, code, message) => {
  const error = gemini.readError(status, body)
  expect(error).toMatchObject({ status, type, code })
  expect(error.message).toMatch(message)
})

test('a wrong key is told by its reason, under Google’s 400', () => {
  const details = [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' }]
  expect(gemini.readError(400, wrong(400, 'INVALID_ARGUMENT', 'API key not valid.', details))).toMatchObject({
    status: 400,
    type: 'authentication_error',
    code: 'API_KEY_INVALID',
  })
})

test('RetryInfo is kept', () => {
  const details = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '7.5s' }]
  const error = gemini.readError(429, wrong(429, 'RESOURCE_EXHAUSTED', 'quota', details))
  expect(error).toMatchObject({ type: 'rate_limit_error', code: 'RESOURCE_EXHAUSTED', unknown: { details } })
})

test('an error within the message of an error is unwrapped', () => {
  const inner = JSON.stringify(wrong(400, 'INVALID_ARGUMENT', 'the real reason'))
  expect(gemini.readError(400, wrong(400, 'INVALID_ARGUMENT', inner)).message).toBe('the real reason')
})
