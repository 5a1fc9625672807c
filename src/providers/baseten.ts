import { everyHarmlessRepair } from '../dialects/openai-chat/quirks.ts'
import { noDeveloperRole } from '../dialects/openai-chat/request-quirks.ts'
import { bearer } from './auth/auth.ts'
import { openaiLike } from './provider.ts'

export const baseten = openaiLike({
  slug: 'baseten',
  title: 'Baseten',
  base: 'https://inference.baseten.co',
  path: 'v1/chat/completions',
  auth: bearer,
  variable: 'BASETEN_API_KEY',
  quirks: [noDeveloperRole, ...everyHarmlessRepair],
})
