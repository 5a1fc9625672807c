import { withScheme } from './auth/auth.ts'
import { FAL, falNative } from './native/fal.ts'
import { provider } from './provider.ts'

export const fal = provider({
  slug: 'fal',
  title: 'fal',
  base: FAL,
  auth: withScheme('Key'),
  native: falNative,
  variable: 'FAL_KEY',
})
