import { forgetToken, serviceAccount, vertex } from './auth/google.ts'
import { geminiVerb } from './google-ai-studio.ts'
import { vertexNative } from './native/google-vertex-ai.ts'
import { type Endpoint, modelPath, type Place, provider } from './provider.ts'

/** Vertex wants the version in the body and the model in the address only (wire-formats section 5). */
const ANTHROPIC_VERSION = 'vertex-2023-10-16'

function endpoint({ model, stream, project, region = 'global' }: Place): Endpoint {
  const slash = model.indexOf('/')
  const publisher = slash > 0 ? model.slice(0, slash) : /^claude/.test(model) ? 'anthropic' : 'google'
  const id = slash > 0 ? model.slice(slash + 1) : model
  const named = project === undefined ? '{project}' : encodeURIComponent(project)
  const locations = `v1/projects/${named}/locations/${encodeURIComponent(region)}`
  if (publisher === 'google')
    return { dialect: 'gemini', path: `${locations}/publishers/google/models/${geminiVerb(id, stream)}` }
  if (publisher === 'anthropic')
    return {
      dialect: 'anthropic-messages',
      // The `@date` of a model stays as it is (trap 58).
      path: `${locations}/publishers/anthropic/models/${modelPath(id)}:${stream ? 'streamRawPredict' : 'rawPredict'}`,
      finish: ({ model: _, ...body }) => ({ anthropic_version: ANTHROPIC_VERSION, ...body }),
    }
  return { dialect: 'openai-chat', path: `${locations}/endpoints/openapi/chat/completions` }
}

export const googleVertexAi = provider({
  slug: 'google-vertex-ai',
  title: 'Google Vertex AI',
  aliases: ['vertex', 'google-vertex', 'vertex-ai'],
  base: 'https://{aiplatform}.googleapis.com',
  endpoint,
  auth: vertex,
  keyIn: ['authorization', 'x-goog-api-key'],
  keyQuery: 'key',
  native: vertexNative,
  placeIn(credential) {
    const account = serviceAccount(credential)
    return account ? { project: account.project_id, region: account.region } : {}
  },
  forget: forgetToken,
  defaultRegion: 'global',
  variable: 'GOOGLE_APPLICATION_CREDENTIALS',
  priced: 'google',
})
