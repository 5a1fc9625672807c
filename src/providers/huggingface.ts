import { everyHarmlessRepair } from '../dialects/openai-chat/quirks.ts'
import { noDeveloperRole } from '../dialects/openai-chat/request-quirks.ts'
import { bearer } from './auth/auth.ts'
import { openaiLike } from './provider.ts'

/** A router: behind one address stand the formats of many providers, so that each of their faults may come. */
export const huggingface = openaiLike({
  slug: 'huggingface',
  title: 'Hugging Face',
  aliases: ['hf'],
  base: 'https://router.huggingface.co/v1',
  auth: bearer,
  variable: 'HF_TOKEN',
  quirks: [noDeveloperRole, ...everyHarmlessRepair],
})
