import { reasoningField } from '../dialects/openai-chat/quirks.ts'
import { bearer } from './auth/auth.ts'
import { openaiLike } from './provider.ts'

export const openrouter = openaiLike({
  slug: 'openrouter',
  title: 'OpenRouter',
  base: 'https://openrouter.ai/api',
  path: 'v1/chat/completions',
  auth: bearer,
  paths: { version: 'v1', beside: ['alpha', 'beta'] },
  variable: 'OPENROUTER_API_KEY',
  passes: ['http-referer', 'x-title'],
  quirks: [reasoningField],
})
