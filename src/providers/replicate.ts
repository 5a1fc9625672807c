import { bearer } from './auth/auth.ts'
import { below } from './native/below.ts'
import { unescaped } from './native/wire.ts'
import { provider } from './provider.ts'

const BASE = 'https://api.replicate.com/v1'
const place = below(BASE)

/** Predictions of models of every kind, none of them a chat: an official model has its name in the path. */
export const replicate = provider({
  slug: 'replicate',
  title: 'Replicate',
  base: BASE,
  auth: bearer,
  native(path, where) {
    const model = /(?:^|\/)models\/([^/]+\/[^/]+)\//.exec(path)?.[1]
    return { ...place(path, where), ...(model && { model: unescaped(model) }) }
  },
  variable: 'REPLICATE_API_TOKEN',
})
