import { reasoningField } from '../dialects/openai-chat/quirks.ts'
import {
  EXTENSIONS,
  maxCompletionTokens,
  noDeveloperRole,
  plainCalls,
  plainMessages,
  without,
} from '../dialects/openai-chat/request-quirks.ts'
import { bearer } from './auth/auth.ts'
import { openaiLike } from './provider.ts'

export const cerebras = openaiLike({
  slug: 'cerebras',
  title: 'Cerebras',
  base: 'https://api.cerebras.ai/v1',
  auth: bearer,
  variable: 'CEREBRAS_API_KEY',
  quirks: [
    maxCompletionTokens,
    without('frequency_penalty', 'presence_penalty', 'logit_bias'),
    plainMessages(...EXTENSIONS, 'refusal', 'annotations', 'audio'),
    plainCalls,
    noDeveloperRole,
    reasoningField,
  ],
})
