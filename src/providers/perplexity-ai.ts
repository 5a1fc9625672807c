import { countsBesideCompletion, cumulativeMessage } from '../dialects/openai-chat/quirks.ts'
import { maxTokens, noDeveloperRole, noEmptyTools } from '../dialects/openai-chat/request-quirks.ts'
import { bearer } from './auth/auth.ts'
import { openaiLike } from './provider.ts'

export const perplexityAi = openaiLike({
  slug: 'perplexity-ai',
  title: 'Perplexity',
  aliases: ['perplexity'],
  base: 'https://api.perplexity.ai',
  auth: bearer,
  // Its newer addresses have a version, these have none.
  paths: { unversioned: /^(?:async\/)?chat\/completions(?:\/|$)/ },
  variable: 'PERPLEXITY_API_KEY',
  list: false,
  quirks: [maxTokens, noDeveloperRole, noEmptyTools, cumulativeMessage, countsBesideCompletion],
  priced: 'perplexity',
})
