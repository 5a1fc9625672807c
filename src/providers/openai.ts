import {
  EXTENSIONS,
  maxCompletionTokensForReasoning,
  plainCalls,
  plainMessages,
} from '../dialects/openai-chat/request-quirks.ts'
import { bearer } from './auth/auth.ts'
import { openaiLike } from './provider.ts'

export const openai = openaiLike({
  slug: 'openai',
  title: 'OpenAI',
  base: 'https://api.openai.com/v1',
  auth: bearer,
  variable: 'OPENAI_API_KEY',
  faithful: true,
  passes: ['openai-organization', 'openai-project', 'openai-beta'],
  // Browsers of its own SDK send the key so, and it takes it so.
  realtime: { path: 'realtime', keyProtocols: [{ prefix: 'openai-insecure-api-key.' }] },
  quirks: [maxCompletionTokensForReasoning, plainMessages(...EXTENSIONS), plainCalls],
})
