import { inHeader } from './auth/auth.ts'
import { provider } from './provider.ts'

export const ideogram = provider({
  slug: 'ideogram',
  title: 'Ideogram',
  base: 'https://api.ideogram.ai',
  auth: inHeader('api-key'),
  keyIn: ['api-key', 'authorization'],
  variable: 'IDEOGRAM_API_KEY',
})
