import { bearer, inHeader } from './auth/auth.ts'
import { below } from './native/below.ts'
import { inQuery } from './native/realtime.ts'
import { type ModelList, provider } from './provider.ts'

const models: ModelList = {
  path: 'v1beta/models?pageSize=1000',
  read(body) {
    const list = (body as { models?: { name?: string; supportedGenerationMethods?: string[] }[] } | null)?.models ?? []
    return list.flatMap(({ name, supportedGenerationMethods: methods }) =>
      name && (!methods || methods.includes('generateContent')) ? [{ id: name.replace(/^models\//, '') }] : [],
    )
  },
}

/** The path of a Gemini model: streaming is a verb of its own, and without `alt=sse` it would be one JSON array. */
export const geminiVerb = (model: string, stream: boolean) =>
  `${encodeURIComponent(model)}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`

const BASE = 'https://generativelanguage.googleapis.com'
const place = below(BASE, { version: 'v1beta', beside: ['upload', 'download', 'ws'] })

export const googleAiStudio = provider({
  slug: 'google-ai-studio',
  title: 'Google AI Studio',
  aliases: ['google', 'gemini'],
  base: BASE,
  endpoint: ({ model, stream }) => ({
    dialect: 'gemini',
    path: `v1beta/models/${geminiVerb(model.replace(/^models\//, ''), stream)}`,
  }),
  auth: inHeader('x-goog-api-key'),
  keyIn: ['x-goog-api-key', 'authorization'],
  keyQuery: 'key',
  native(path, where) {
    const address = place(path, where)
    // Its OpenAI-like half takes a key as OpenAI does.
    return /(?:^|\/)openai\//.test(path) ? { ...address, auth: bearer } : address
  },
  // Gemini Live: Cloudflare's clients call the key "api_key", Google calls it "key" (contract 1.9).
  realtime: {
    path: 'ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent',
    native: (path, where) => ({
      ...place(path, where),
      query: (where.query ?? '').replace(/(^|&)api_key=/g, '$1key='),
    }),
    keyQueries: ['api_key', 'access_token'],
    auth: inQuery('key'),
  },
  variable: 'GEMINI_API_KEY',
  faithful: true,
  models,
  priced: 'google',
})
