import { describe, expect, test } from 'bun:test'
import { placedBy } from '../../src/providers/native/wire.ts'
import { placed } from './native-place.ts'

describe('what an answer of an address is', () => {
  const claude = 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0'
  const profile = 'arn:aws:bedrock:eu-west-1:1:application-inference-profile/abc'

  test.each([
    ['https://api.openai.com/v1/chat/completions', 'openai-chat'],
    ['https://api.openai.com/v1/chat/completions/', 'openai-chat'],
    ['https://api.mistral.ai/v1/fim/completions', 'openai-chat'],
    ['https://api.openai.com/v1/completions', 'openai-completions'],
    ['https://api.openai.com/v1/responses', 'openai-responses'],
    ['https://api.openai.com/v1/embeddings', 'openai-embeddings'],
    ['http://127.0.0.1:4999/embeddings', 'openai-embeddings'],
    ['https://api.openai.com/v1/images/generations', 'openai-images'],
    ['https://api.openai.com/v1/images/edits', 'openai-images'],
    ['https://api.openai.com/v1/audio/transcriptions', 'openai-transcriptions'],
    ['https://api.openai.com/v1/audio/speech', 'openai-speech'],
    ['https://api.mistral.ai/v1/ocr', 'mistral-ocr'],
    ['https://api.anthropic.com/v1/messages', 'anthropic-messages'],
    ['https://bedrock-mantle.us-east-1.api.aws/anthropic/v1/messages', 'anthropic-messages'],
    ['https://api.cohere.com/v2/chat', 'cohere-chat'],
    ['https://api.cohere.com/v1/chat', 'cohere-meta'],
    ['https://api.cohere.com/v2/embed', 'cohere-meta'],
    ['https://api.cohere.com/v2/rerank', 'cohere-meta'],
    ['http://127.0.0.1:11434/api/chat', 'ollama-chat'],
    ['http://127.0.0.1:11434/api/embed', 'ollama-generate'],
    ['http://127.0.0.1:11434/api/generate', 'ollama-generate'],
  ] as const)('%s: %s', (url, watch) => {
    expect(placedBy(url)).toEqual({ watch })
  })

  test.each([
    ['https://h/v1beta/models/gemini-2.5-flash:generateContent', 'gemini', 'gemini-2.5-flash'],
    ['https://h/v1beta/models/gemini-2.5-flash:streamGenerateContent', 'gemini', 'gemini-2.5-flash'],
    ['https://h/v1beta/models/gemini-2.5-flash%3AgenerateContent', 'gemini', 'gemini-2.5-flash'],
    ['https://h/v1beta/models/gemini-embedding-001:embedContent', 'gemini', 'gemini-embedding-001'],
    ['https://h/v1/p/publishers/google/models/text-embedding-005:predict', 'vertex-predict', 'text-embedding-005'],
    ['https://h/v1beta/tunedModels/mine:generateContent', 'gemini', 'tunedModels/mine'],
    ['https://h/v1/projects/p/locations/l/endpoints/12:generateContent', 'gemini', 'endpoints/12'],
    [
      'https://h/v1/projects/p/locations/l/publishers/anthropic/models/claude@1:rawPredict',
      'anthropic-messages',
      'claude@1',
    ],
    [
      'https://h/v1/projects/p/locations/l/publishers/mistralai/models/codestral:streamRawPredict',
      'openai-chat',
      'codestral',
    ],
    [`https://h/model/${encodeURIComponent(claude)}/converse`, 'bedrock-converse', claude],
    [`https://h/model/${encodeURIComponent(claude)}/converse-stream`, 'bedrock-converse', claude],
    [`https://h/model/${encodeURIComponent(claude)}/invoke`, 'bedrock-invoke-anthropic', claude],
    [`https://h/model/${encodeURIComponent(claude)}/invoke-with-response-stream`, 'bedrock-invoke-anthropic', claude],
    [`https://h/model/${encodeURIComponent(profile)}/invoke`, 'bedrock-invoke', profile],
    ['https://h/model/amazon.titan-embed-text-v2:0/invoke', 'bedrock-invoke', 'amazon.titan-embed-text-v2:0'],
    ['https://r.openai.azure.com/openai/deployments/our%20own/embeddings', 'openai-embeddings', 'our own'],
  ] as const)('%s: %s of %s', (url, watch, model) => {
    expect(placedBy(url)).toEqual({ watch, model })
  })

  test.each([
    'https://api.openai.com/v1/threads/t-1/messages',
    'https://api.openai.com/v1/responses/resp_1',
    'https://api.openai.com/v1/responses/compact',
    'https://api.openai.com/v1/models',
    'https://api.anthropic.com/v1/messages/count_tokens',
    'https://api.anthropic.com/v1/messages/batches',
    'http://127.0.0.1:11434/api/embeddings',
    'https://h/v1/projects/p/locations/l/publishers/anthropic/models/count-tokens:rawPredict',
  ])('nothing can be read from %s', url => {
    expect(placedBy(url)).toEqual({})
  })

  test('counting tokens names a model and uses none', () => {
    expect(placedBy('https://h/v1beta/models/gemini-2.5-flash:countTokens')).toEqual({ model: 'gemini-2.5-flash' })
  })

  test('an escape that is none stays as it is', () => {
    expect(placedBy('https://h/model/100%25%zz/converse').model).toBe('100%25%zz')
  })
})

test.each([
  ['huggingface', 'an-org/a%20model', 'an-org/a model'],
  ['huggingface', 'models/an-org/a-model/v1/chat/completions', 'an-org/a-model'],
  ['replicate', 'v1/models/a-person/a-model/predictions', 'a-person/a-model'],
  ['baseten', 'model/abc123', 'abc123'],
  ['baseten', 'v1/chat/completions', undefined],
  ['openai', 'chat/completions', undefined],
])('%s/%s: the model is %p', (slug, path, model) => {
  expect(placed(slug, path).model).toBe(model!)
})
