import { everyHarmlessRepair } from '../dialects/openai-chat/quirks.ts'
import { bearer, inHeader } from './auth/auth.ts'
import { below } from './native/below.ts'
import { openaiLike } from './provider.ts'

const BASE = 'https://api.parallel.ai'
const place = below(BASE, { unversioned: /^chat\/completions$/ })
const ownHeader = inHeader('x-api-key')

export const parallel = openaiLike({
  slug: 'parallel',
  title: 'Parallel',
  base: BASE,
  path: 'chat/completions',
  auth: bearer,
  keyIn: ['x-api-key', 'authorization'],
  // Only what is like OpenAI takes a key as OpenAI does.
  native(path, where) {
    const address = place(path, where)
    return address.watch ? address : { ...address, auth: ownHeader }
  },
  variable: 'PARALLEL_API_KEY',
  list: false,
  quirks: [...everyHarmlessRepair],
})
