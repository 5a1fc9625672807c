import { newToken } from '../storage/token-secret.ts'
import { supervise } from '../supervisor/supervisor.ts'
import type { ServeOptions } from './serve.ts'

/**
 * `postern demo`: serves with the provider inside the executable and a token of this run, so that the lines that are
 * printed work at once. A configuration counts as with `serve`.
 */
export const demoCommand = (options: ServeOptions): Promise<number> =>
  supervise({ ...options, demo: { token: newToken() } })
