/** The examples that the document shows. */

export const chatExamples = {
  question: {
    summary: 'A question',
    value: {
      model: 'openai/gpt-5-mini',
      messages: [{ role: 'user', content: 'What is a postern?' }],
    },
  },
  stream: {
    summary: 'An answer piece by piece',
    value: {
      model: 'anthropic/claude-haiku-4-5',
      messages: [
        { role: 'system', content: 'Answer in one sentence.' },
        { role: 'user', content: 'What is a postern?' },
      ],
      stream: true,
      stream_options: { include_usage: true },
    },
  },
  image: {
    summary: 'A picture',
    value: {
      model: 'google-ai-studio/gemini-2.5-flash',
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What does the picture show?' },
            { type: 'image_url', image_url: { url: 'https://example.com/gate.jpg' } },
          ],
        },
      ],
    },
  },
  tool: {
    summary: 'A tool',
    value: {
      model: 'workers-ai/@cf/meta/llama-3.3-70b-instruct-fp8-fast',
      messages: [{ role: 'user', content: 'How warm is it in Porto?' }],
      tools: [
        {
          type: 'function',
          function: {
            name: 'get_weather',
            description: 'The weather of a place.',
            parameters: { type: 'object', properties: { place: { type: 'string' } }, required: ['place'] },
          },
        },
      ],
      tool_choice: 'auto',
    },
  },
}

export const completionExample = {
  id: 'chatcmpl-01',
  object: 'chat.completion',
  created: 1_760_000_000,
  model: 'gpt-5-mini',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: 'A small gate at the back of a fortress.', refusal: null },
      logprobs: null,
      finish_reason: 'stop',
    },
  ],
  usage: { prompt_tokens: 12, completion_tokens: 10, total_tokens: 22 },
}

export const chunkExample = {
  id: 'chatcmpl-01',
  object: 'chat.completion.chunk',
  created: 1_760_000_000,
  model: 'gpt-5-mini',
  choices: [{ index: 0, delta: { role: 'assistant', content: 'A small' }, finish_reason: null }],
}

export const modelsExample = {
  object: 'list',
  data: [
    {
      id: 'anthropic/claude-haiku-4-5',
      object: 'model',
      created: 1_760_000_000,
      created_at: 1_760_000_000,
      owned_by: 'anthropic',
      cost_in: 0.000001,
      cost_out: 0.000005,
    },
  ],
}
