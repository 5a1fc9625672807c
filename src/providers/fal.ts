import { withScheme } from './auth/auth.ts'
import { FAL, falNative, falSocket } from './native/fal.ts'
import { provider } from './provider.ts'

export const fal = provider({
  slug: 'fal',
  title: 'fal',
  base: FAL,
  auth: withScheme('Key'),
  native: falNative,
  realtime: {
    native: falSocket,
    keyQueries: ['fal_jwt_token'],
    keyProtocols: [{ prefix: 'fal-api-key.', alsoInHeader: true }],
  },
  variable: 'FAL_KEY',
})
