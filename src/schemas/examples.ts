/** Examples that the document shows of requests that name providers. */

export const universalExamples = {
  fallback: {
    summary: 'Another provider where the first has no answer',
    value: [
      {
        provider: 'anthropic',
        endpoint: 'v1/messages',
        headers: { 'anthropic-version': '2023-06-01', 'cf-aig-cache-ttl': '3600' },
        config: { requestTimeout: 2_000, maxAttempts: 2, retryDelay: 500, backoff: 'exponential' },
        query: {
          model: 'claude-haiku-4-5',
          max_tokens: 256,
          messages: [{ role: 'user', content: 'What is a postern?' }],
        },
      },
      {
        provider: 'workers-ai',
        endpoint: '@cf/meta/llama-3.3-70b-instruct-fp8-fast',
        headers: {},
        query: { messages: [{ role: 'user', content: 'What is a postern?' }] },
      },
    ],
  },
  single: {
    summary: 'A step alone, through the unified endpoint',
    value: {
      provider: 'compat',
      endpoint: 'chat/completions',
      headers: {},
      query: { model: 'openai/gpt-5-mini', messages: [{ role: 'user', content: 'What is a postern?' }] },
    },
  },
}

export const runExamples = {
  conversation: {
    summary: 'A question',
    value: {
      model: 'openai/gpt-5-mini',
      input: { messages: [{ role: 'user', content: 'What is a postern?' }] },
    },
  },
  hosted: {
    summary: 'A model of Workers AI, piece by piece',
    value: {
      model: '@cf/meta/llama-3.3-70b-instruct-fp8-fast',
      input: { messages: [{ role: 'user', content: 'What is a postern?' }], stream: true },
    },
  },
}

export const hostedInput = { messages: [{ role: 'user', content: 'What is a postern?' }] }
export const hostedModel = '@cf/meta/llama-3.3-70b-instruct-fp8-fast'

export const runReplyExample = {
  result: { response: 'A small gate at the back of a fortress.' },
  success: true,
  errors: [],
  messages: [],
}
