import { cachedTokensElsewhere, contentParts } from '../dialects/openai-chat/quirks.ts'
import {
  EXTENSIONS,
  maxTokens,
  nineCharacterIds,
  noDeveloperRole,
  noEmptyAssistant,
  noEmptyTools,
  plainCalls,
  plainMessages,
  renamed,
  without,
} from '../dialects/openai-chat/request-quirks.ts'
import { bearer } from './auth/auth.ts'
import { openaiLike } from './provider.ts'

/** Refuses every field that it does not know with a 422. */
export const mistral = openaiLike({
  slug: 'mistral',
  title: 'Mistral',
  base: 'https://api.mistral.ai',
  path: 'v1/chat/completions',
  auth: bearer,
  paths: { version: 'v1' },
  variable: 'MISTRAL_API_KEY',
  quirks: [
    maxTokens,
    renamed('seed', 'random_seed'),
    without(
      'stream_options',
      'logprobs',
      'top_logprobs',
      'logit_bias',
      'user',
      'safety_identifier',
      'store',
      'verbosity',
      'modalities',
    ),
    noDeveloperRole,
    nineCharacterIds,
    noEmptyAssistant,
    noEmptyTools,
    plainMessages(...EXTENSIONS, 'refusal', 'annotations', 'audio'),
    plainCalls,
    contentParts,
    cachedTokensElsewhere,
  ],
})
