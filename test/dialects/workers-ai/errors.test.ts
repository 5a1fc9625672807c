import { expect, test } from 'bun:test'
import { ProviderFailure } from '../../../src/conversation/errors.ts'
import { workersAi } from '../../../src/dialects/workers-ai/index.ts'

const envelope = (code: number, message = 'no') => ({
  success: false,
  errors: [{ code, message }],
  result: null,
  messages: [],
})

test.each([
  [400, envelope(5007, 'No such model'), { message: 'No such model', code: '5007', type: 'invalid_request_error' }],
  [403, envelope(10000, 'Authentication error'), { code: '10000', type: 'permission_error' }],
  [429, envelope(3036), { code: '3036', type: 'rate_limit_error' }],
  [
    401,
    { success: false, error: [{ code: 2009, message: 'Unauthorized' }], message: 'Unauthorized', internalCode: 2009 },
    { message: 'Unauthorized', code: '2009' },
  ],
  [500, { error: 'AiError: AiError: 3008: timed out' }, { code: '3008', type: 'server_error' }],
  [524, '<!DOCTYPE html><title>524: A timeout occurred</title>', { type: 'server_error' }],
  [502, '', { type: 'server_error' }],
])('T83 %d %j keeps its status', (status, body, expected) => {
  expect(workersAi.readError(status, body)).toMatchObject({ status, ...expected })
})

test.each([
  [5004, 400],
  [10000, 401],
  [5018, 403],
  [3042, 404],
  [5005, 405],
  [3007, 408],
  [3006, 413],
  [3040, 429],
  [9999, 502],
])('code %d under HTTP 200 stands for status %d', (code, status) => {
  try {
    workersAi.readReply(envelope(code), { memory: {}, quirks: [] })
    throw new Error('read as an answer')
  } catch (failure) {
    expect(failure).toBeInstanceOf(ProviderFailure)
    expect((failure as ProviderFailure).error).toMatchObject({ status, code: String(code) })
  }
})

test.each([
  [{ result: null, success: true, errors: [] }],
  ['nonsense'],
  [null],
  [{ state: 'Failed', error: { code: 'x', message: 'gone' } }],
])('no answer is no success: %j', body =>
  expect(() => workersAi.readReply(body, { memory: {}, quirks: [] })).toThrow(ProviderFailure),
)
