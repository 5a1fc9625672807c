import { everyHarmlessRepair } from '../dialects/openai-chat/quirks.ts'
import { bearer } from './auth/auth.ts'
import { openaiLike } from './provider.ts'

export const parallel = openaiLike({
  slug: 'parallel',
  title: 'Parallel',
  base: 'https://api.parallel.ai',
  path: 'chat/completions',
  auth: bearer,
  variable: 'PARALLEL_API_KEY',
  list: false,
  quirks: [...everyHarmlessRepair],
})
