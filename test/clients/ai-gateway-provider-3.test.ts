import { expect, setDefaultTimeout, test } from 'bun:test'
import { kit } from './ai-6/kit.ts'
import { gatewayProviderCases, startGateway } from './ai-gateway-provider-cases.ts'
import { TOKEN } from './client-gateway.ts'

setDefaultTimeout(30_000)
// Models of that name are not in its lists, and it says so each time.
Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false })

/** `ai-gateway-provider` 3.1.3 with `ai` 6, which writes the old names `cf-cache-ttl` and `cf-skip-cache`. */

const sent = gatewayProviderCases(kit, startGateway())

test('these are the older packages', async () => {
  const settings = { accountId: 'home', gateway: 'default', apiKey: TOKEN, options: { cacheTtl: 60 } }
  await kit.generate(kit.wrap(settings, kit.models['openai, Chat']!.make()))
  const { headers, steps } = sent.at(-1)!
  expect([headers.get('cf-cache-ttl'), headers.get('cf-aig-cache-ttl')]).toEqual(['60', null])
  expect(steps[0]?.headers['user-agent']).toStartWith('ai/6.')
})
