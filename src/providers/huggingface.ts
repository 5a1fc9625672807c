import { everyHarmlessRepair } from '../dialects/openai-chat/quirks.ts'
import { noDeveloperRole } from '../dialects/openai-chat/request-quirks.ts'
import { bearer } from './auth/auth.ts'
import { HUGGINGFACE, huggingfaceNative } from './native/huggingface.ts'
import { openaiLike } from './provider.ts'

/** A router: behind one address stand the formats of many providers, so that each of their faults may come. */
export const huggingface = openaiLike({
  slug: 'huggingface',
  title: 'Hugging Face',
  aliases: ['hf'],
  base: HUGGINGFACE,
  auth: bearer,
  native: huggingfaceNative,
  variable: 'HF_TOKEN',
  quirks: [noDeveloperRole, ...everyHarmlessRepair],
})
