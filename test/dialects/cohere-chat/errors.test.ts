import { expect, test } from 'bun:test'
import { ProviderFailure } from '../../../src/conversation/errors.ts'
import { cohereChat } from '../../../src/dialects/cohere-chat/index.ts'

test.each([
  [
    400,
    { id: '1', message: 'invalid request: bad p' },
    { message: 'invalid request: bad p', type: 'invalid_request_error' },
  ],
  [400, { message: 'too many tokens', error_type: 'TOO_MANY_TOKENS' }, { code: 'context_length_exceeded' }],
  [401, { message: 'invalid api token' }, { type: 'authentication_error' }],
  [404, { message: "model 'command' was removed" }, { type: 'not_found_error' }],
  [429, { message: 'slow down' }, { type: 'rate_limit_error' }],
  [498, { message: 'blocked' }, { code: 'content_filter' }],
  [502, '<!DOCTYPE html><title>Bad gateway</title>', { type: 'server_error' }],
  [503, '', { type: 'server_error' }],
])('T83 %d %j', (status, body, expected) => {
  const error = cohereChat.readError(status, body)
  expect(error).toMatchObject({ status, ...expected })
  expect(error.message).toBeTruthy()
})

test.each([
  [{ id: '1', message: 'internal error' }, 502],
  [{ message: { role: 'assistant', content: [] }, finish_reason: 'ERROR' }, 502],
  [{ message: { role: 'assistant', content: [] }, finish_reason: 'TIMEOUT' }, 504],
])('a failure under HTTP 200 is thrown: %j', (body, status) => {
  try {
    cohereChat.readReply(body, { memory: {}, quirks: [] })
    throw new Error('read as an answer')
  } catch (failure) {
    expect(failure).toBeInstanceOf(ProviderFailure)
    expect((failure as ProviderFailure).error.status).toBe(status)
  }
})
