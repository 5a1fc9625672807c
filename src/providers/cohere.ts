import { bearer } from './auth/auth.ts'
import { provider } from './provider.ts'

export const cohere = provider({
  slug: 'cohere',
  title: 'Cohere',
  base: 'https://api.cohere.com',
  endpoint: { dialect: 'cohere-chat', path: 'v2/chat' },
  auth: bearer,
  paths: { version: 'v1' },
  variable: 'COHERE_API_KEY',
  models: {
    path: 'v1/models?endpoint=chat&page_size=1000',
    read(body) {
      const list = (body as { models?: { name?: string }[] } | null)?.models ?? []
      return list.flatMap(({ name }) => (name ? [{ id: name }] : []))
    },
  },
})
