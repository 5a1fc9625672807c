import { type AuthContext, bearer, inHeader, type Outgoing } from './auth/auth.ts'
import { type ModelList, provider } from './provider.ts'

/** `created_at` is a date text here. */
export const anthropicModels: ModelList = {
  path: 'v1/models?limit=1000',
  read(body) {
    const data = (body as { data?: { id?: string; created_at?: string }[] } | null)?.data ?? []
    return data.flatMap(({ id, created_at }) => {
      const created = Math.floor(Date.parse(created_at ?? '') / 1_000)
      return id ? [{ id, ...(created > 0 && { created }) }] : []
    })
  },
}

/** Keys go into `x-api-key`; OAuth tokens, which begin otherwise, as bearer. */
function auth(outgoing: Outgoing, credential: string, context: AuthContext) {
  return (credential.startsWith('sk-ant-oat') ? bearer : inHeader('x-api-key'))(outgoing, credential, context)
}

export const anthropic = provider({
  slug: 'anthropic',
  title: 'Anthropic',
  base: 'https://api.anthropic.com',
  endpoint: {
    dialect: 'anthropic-messages',
    path: 'v1/messages',
    headers: { 'anthropic-version': '2023-06-01' },
  },
  auth,
  keyIn: ['x-api-key', 'authorization'],
  // Claude Code asks its base for `api/hello` and the like.
  paths: { version: 'v1', beside: ['api'] },
  variable: 'ANTHROPIC_API_KEY',
  faithful: true,
  models: anthropicModels,
})
