import { usageThatAddsUp } from '../dialects/openai-chat/quirks.ts'
import { bearer } from './auth/auth.ts'
import { openaiLike } from './provider.ts'

export const grok = openaiLike({
  slug: 'grok',
  title: 'xAI',
  aliases: ['xai', 'x-ai'],
  base: 'https://api.x.ai',
  path: 'v1/chat/completions',
  auth: bearer,
  paths: { version: 'v1' },
  variable: 'XAI_API_KEY',
  quirks: [usageThatAddsUp],
  priced: 'x-ai',
})
