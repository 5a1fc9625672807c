import { bearer } from './auth/auth.ts'
import { workersAiNative, workersAiSocket } from './native/workers-ai.ts'
import { modelPath, provider } from './provider.ts'

export const workersAi = provider({
  slug: 'workers-ai',
  title: 'Cloudflare Workers AI',
  base: 'https://api.cloudflare.com/client/v4/accounts/{account}/ai/run',
  endpoint: ({ model }) => ({ dialect: 'workers-ai', path: modelPath(model) }),
  auth: bearer,
  native: workersAiNative,
  realtime: { native: workersAiSocket },
  variable: 'CLOUDFLARE_API_TOKEN',
  priced: 'cloudflare',
  models: {
    path: '../models/search?per_page=1000&task=Text%20Generation',
    read(body) {
      const result = (body as { result?: { name?: string }[] } | null)?.result ?? []
      return result.flatMap(({ name }) => (name ? [{ id: name }] : []))
    },
  },
})
