import { expect, test } from 'bun:test'
import { startApp, TOKEN } from '../support/app.ts'
import { ask, COMPAT } from '../support/chat.ts'
import { standIn } from '../support/stand-in.ts'

test.each(['credits', 'settings'])(
  'credit that cannot be asked for (%s) is a 503, and no provider is asked',
  async table => {
    const provider = standIn(() => Response.json({}))
    const app = await startApp({
      billing: { enabled: true },
      providers: { openai: { base_url: provider.address, keys: { default: 'k' } } },
      prices: { 'openai/m': { input: 1, output: 1 } },
    })
    await app.store.credits.add('account', 10n ** 12n, 'paid in')
    await app.store.database.run(`DROP TABLE ${table}`)
    const answer = await fetch(app.address + COMPAT, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}` },
      body: JSON.stringify(ask('openai/m', { max_tokens: 5 })),
    })
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1'])
    expect(await answer.json()).toMatchObject({ error: { code: 'credit_unavailable' } })
    expect(await app.record(1)).toMatchObject({ status: 503, error: 'credit_unavailable' })
    expect(provider.seen).toHaveLength(0)
    expect(app.logged()).toContain('credit cannot be asked for')
    await app.stop()
    provider.stop()
  },
)
