import { reasoningField, usageInXGroq } from '../dialects/openai-chat/quirks.ts'
import {
  EXTENSIONS,
  noDeveloperRole,
  plainCalls,
  plainMessages,
  without,
} from '../dialects/openai-chat/request-quirks.ts'
import { bearer } from './auth/auth.ts'
import { openaiLike } from './provider.ts'

export const groq = openaiLike({
  slug: 'groq',
  title: 'Groq',
  base: 'https://api.groq.com/openai/v1',
  auth: bearer,
  variable: 'GROQ_API_KEY',
  quirks: [
    without('logit_bias', 'metadata', 'store'),
    plainMessages(...EXTENSIONS, 'name', 'refusal', 'annotations', 'audio'),
    plainCalls,
    noDeveloperRole,
    reasoningField,
    usageInXGroq,
  ],
})
