import { everyHarmlessRepair } from '../dialects/openai-chat/quirks.ts'
import { noDeveloperRole } from '../dialects/openai-chat/request-quirks.ts'
import { bearer } from './auth/auth.ts'
import { BASETEN, basetenNative } from './native/baseten.ts'
import { openaiLike } from './provider.ts'

export const baseten = openaiLike({
  slug: 'baseten',
  title: 'Baseten',
  base: BASETEN,
  path: 'v1/chat/completions',
  auth: bearer,
  native: basetenNative,
  variable: 'BASETEN_API_KEY',
  quirks: [noDeveloperRole, ...everyHarmlessRepair],
})
