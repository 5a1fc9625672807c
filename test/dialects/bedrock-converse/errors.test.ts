import { expect, test } from 'bun:test'
import { bedrockConverse } from '../../../src/dialects/bedrock-converse/index.ts'

test.each([
  [
    400,
    { message: 'The model identifier is invalid.' },
    'ValidationException:http://internal.example/coral/',
    'invalid_request_error',
    'ValidationException',
  ],
  [
    400,
    { message: 'Input is too long for requested model.' },
    'ValidationException',
    'invalid_request_error',
    'context_length_exceeded',
  ],
  [
    403,
    { Message: 'The security token is expired' },
    'ExpiredTokenException',
    'permission_error',
    'ExpiredTokenException',
  ],
  [
    429,
    { __type: 'com.amazon.coral.service#ThrottlingException', message: 'Slow down' },
    undefined,
    'rate_limit_error',
    'ThrottlingException',
  ],
  [503, { message: 'Busy' }, 'ServiceUnavailableException', 'server_error', 'ServiceUnavailableException'],
  [
    424,
    { message: 'The model failed', originalStatusCode: 500 },
    'ModelErrorException',
    'server_error',
    'ModelErrorException',
  ],
  [502, '<html></html>', undefined, 'server_error', null],
  [500, '', undefined, 'server_error', null],
])('T59 %i %j %s', (status, body, name, type, code) => {
  const headers = new Headers(name ? { 'x-amzn-errortype': name } : {})
  const error = bedrockConverse.readError(status, body, headers)
  expect(error).toMatchObject({ status, type, code })
  expect(error.message).toBeTruthy()
  const said = body as { message?: string; Message?: string }
  if (typeof body === 'object') expect(error.message).toBe((said.message ?? said.Message)!)
})
