import { cachedTokensElsewhere } from '../dialects/openai-chat/quirks.ts'
import { maxTokens, noDeveloperRole } from '../dialects/openai-chat/request-quirks.ts'
import { bearer } from './auth/auth.ts'
import { openaiLike } from './provider.ts'

/** `reasoning_content` of earlier turns goes back as the caller sent it: newer models need it for tool loops (T75). */
export const deepseek = openaiLike({
  slug: 'deepseek',
  title: 'DeepSeek',
  base: 'https://api.deepseek.com',
  auth: bearer,
  // It serves every path with and without `v1/`.
  paths: { unversioned: /^/ },
  variable: 'DEEPSEEK_API_KEY',
  quirks: [maxTokens, noDeveloperRole, cachedTokensElsewhere],
})
