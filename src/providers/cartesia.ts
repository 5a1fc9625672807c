import { inHeader } from './auth/auth.ts'
import { provider } from './provider.ts'

/**
 * Speech. The key's own header serves every `Cartesia-Version`; browsers' sockets have it in the query.
 * @see https://docs.cartesia.ai/use-the-api/api-conventions
 */
export const cartesia = provider({
  slug: 'cartesia',
  title: 'Cartesia',
  base: 'https://api.cartesia.ai',
  auth: inHeader('x-api-key'),
  keyIn: ['x-api-key', 'authorization'],
  keyQuery: 'api_key',
  realtime: { path: 'tts/websocket', keyQueries: ['access_token'] },
  variable: 'CARTESIA_API_KEY',
})
