import type { Config } from '../config/schema.ts'
import type { Store } from '../storage/store.ts'
import { hashToken, newToken } from '../storage/token-secret.ts'

/**
 * Makes a token with all permissions where there is none anywhere, neither in the file nor in the store.
 *
 * @returns its secret, which is known only now
 */
export async function firstToken(config: Config, store: Store): Promise<string | undefined> {
  if (config.tokens.length || (await store.tokens.list()).length) return undefined
  const token = newToken()
  await store.tokens.add({
    name: 'first',
    hash: hashToken(token),
    permissions: ['run', 'read', 'edit'],
    created: Date.now(),
  })
  return token
}
