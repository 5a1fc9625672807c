import type { CachedAnswer } from '../../../src/storage/cache/answer-cache.ts'

/** A key as gateway/cache/key.ts makes them. */
export const keyOf = (name: string | number, gateway = 'default') =>
  `${gateway}:${new Bun.CryptoHasher('sha256').update(String(name)).digest('hex')}`

const bytes = (text: string) => new TextEncoder().encode(text)

/** An answer that is kept for an hour. */
export function answer(body: string | Uint8Array<ArrayBuffer>, more: Partial<CachedAnswer> = {}): CachedAnswer {
  const stored = Date.now()
  return {
    status: 200,
    headers: [
      ['content-type', 'application/json'],
      ['x-request-id', 'r-1'],
    ],
    body: typeof body === 'string' ? bytes(body) : body,
    meta: {
      provider: 'openai',
      model: 'gpt-5-mini',
      gateway: 'default',
      usage: { input: 3, output: 5, source: 'reported' },
    },
    stored,
    expires: stored + 3_600_000,
    ...more,
  }
}

export const ofGateway = (gateway: string): Pick<CachedAnswer, 'meta'> => ({
  meta: { provider: 'openai', model: 'gpt-5-mini', gateway },
})

export const textOf = (found: CachedAnswer | undefined) => found && new TextDecoder().decode(found.body)

/** Waits until something is so. */
export async function eventually(holds: () => boolean | Promise<boolean>, milliseconds = 10_000): Promise<boolean> {
  for (const end = Date.now() + milliseconds; Date.now() < end; await Bun.sleep(10)) if (await holds()) return true
  return false
}
