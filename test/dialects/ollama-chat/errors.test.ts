import { expect, test } from 'bun:test'
import { ProviderFailure } from '../../../src/conversation/errors.ts'
import { ollamaChat } from '../../../src/dialects/ollama-chat/index.ts'

test.each([
  [
    404,
    { error: "model 'llama9' not found" },
    { message: "model 'llama9' not found", type: 'not_found_error', code: 'model_not_found' },
  ],
  [400, { error: 'llama2 does not support tools' }, { type: 'invalid_request_error' }],
  [503, { error: 'server busy, please try again' }, { type: 'server_error' }],
  [502, '<html><head><title>502</title></head></html>', { type: 'server_error' }],
  [500, '', { type: 'server_error' }],
])('T83 %d %j', (status, body, expected) => {
  expect(ollamaChat.readError(status, body)).toMatchObject({ status, ...expected })
})

test('an error under HTTP 200 is thrown', () => {
  const read = () => ollamaChat.readReply({ error: 'out of memory' }, { memory: {}, quirks: [] })
  expect(read).toThrow(ProviderFailure)
  expect(read).toThrow('out of memory')
})
