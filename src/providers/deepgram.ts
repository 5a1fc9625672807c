import { type Authenticator, bearer, withScheme } from './auth/auth.ts'
import { below } from './native/below.ts'
import { provider } from './provider.ts'

const BASE = 'https://api.deepgram.com'
/** Where its voice agent listens. */
const AGENT = 'https://agent.deepgram.com'

const place = below(BASE, { version: 'v1' })
const token = withScheme('Token')

/**
 * A key goes behind `Token`, one of its short-lived tokens (a JWT) as bearer.
 * @see https://developers.deepgram.com/docs/token-based-authentication
 */
const auth: Authenticator = (outgoing, credential, context) =>
  (/^eyJ[\w-]+\.[\w-]+\.[\w-]*$/.test(credential) ? bearer : token)(outgoing, credential, context)

export const deepgram = provider({
  slug: 'deepgram',
  title: 'Deepgram',
  base: BASE,
  auth,
  keyIn: ['authorization', 'token'],
  native: (path, where) =>
    place(path, where.base === BASE && /^(?:v1\/)?agent\/converse$/.test(path) ? { ...where, base: AGENT } : where),
  // @see https://developers.deepgram.com/docs/using-the-sec-websocket-protocol
  realtime: { path: 'v1/listen', keyProtocols: [{ word: 'token' }, { word: 'bearer' }] },
  variable: 'DEEPGRAM_API_KEY',
})
