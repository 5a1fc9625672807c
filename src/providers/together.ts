import { cachedTokensElsewhere, duplicateText, reasoningField } from '../dialects/openai-chat/quirks.ts'
import { maxTokens, noDeveloperRole } from '../dialects/openai-chat/request-quirks.ts'
import { bearer } from './auth/auth.ts'
import { openaiLike } from './provider.ts'

export const together = openaiLike({
  slug: 'together',
  title: 'Together',
  base: 'https://api.together.xyz/v1',
  auth: bearer,
  variable: 'TOGETHER_API_KEY',
  quirks: [maxTokens, noDeveloperRole, duplicateText, reasoningField, cachedTokensElsewhere],
})
