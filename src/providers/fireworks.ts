import { reasoningField } from '../dialects/openai-chat/quirks.ts'
import { maxTokens, noDeveloperRole } from '../dialects/openai-chat/request-quirks.ts'
import { bearer } from './auth/auth.ts'
import { openaiLike } from './provider.ts'

export const fireworks = openaiLike({
  slug: 'fireworks',
  title: 'Fireworks',
  base: 'https://api.fireworks.ai/inference/v1',
  auth: bearer,
  variable: 'FIREWORKS_API_KEY',
  passes: ['x-session-affinity'],
  quirks: [maxTokens, noDeveloperRole, reasoningField],
})
