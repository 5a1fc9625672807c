import { inHeader } from './auth/auth.ts'
import { provider } from './provider.ts'

export const elevenlabs = provider({
  slug: 'elevenlabs',
  title: 'ElevenLabs',
  base: 'https://api.elevenlabs.io',
  auth: inHeader('xi-api-key'),
  keyIn: ['xi-api-key', 'authorization'],
  paths: { version: 'v1' },
  realtime: {
    path: 'v1/convai/conversation',
    // A signed address, and tokens for a single use.
    keyQueries: ['conversation_signature', 'single_use_token', 'token'],
    keyProtocols: [{ prefix: 'xi-api-key.', alsoInHeader: true }],
  },
  variable: 'ELEVENLABS_API_KEY',
})
