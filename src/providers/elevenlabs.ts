import { inHeader } from './auth/auth.ts'
import { provider } from './provider.ts'

export const elevenlabs = provider({
  slug: 'elevenlabs',
  title: 'ElevenLabs',
  base: 'https://api.elevenlabs.io',
  auth: inHeader('xi-api-key'),
  keyIn: ['xi-api-key', 'authorization'],
  paths: { version: 'v1' },
  variable: 'ELEVENLABS_API_KEY',
})
