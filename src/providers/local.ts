import { everyHarmlessRepair } from '../dialects/openai-chat/quirks.ts'
import { noDeveloperRole } from '../dialects/openai-chat/request-quirks.ts'
import { bearer } from './auth/auth.ts'
import { openaiLike, provider } from './provider.ts'

/** Servers of models on the operator's own machine or network; none of them needs a key. */

export const ollama = provider({
  slug: 'ollama',
  title: 'Ollama',
  base: 'http://127.0.0.1:11434',
  endpoint: { dialect: 'ollama-chat', path: 'api/chat' },
  auth: bearer,
  keyless: true,
  models: {
    path: 'api/tags',
    read(body) {
      const list = (body as { models?: { name?: string; modified_at?: string }[] } | null)?.models ?? []
      return list.flatMap(({ name, modified_at }) => {
        const created = Math.floor(Date.parse(modified_at ?? '') / 1_000)
        return name ? [{ id: name, ...(created > 0 && { created }) }] : []
      })
    },
  },
})

/** @param beside first steps of its paths that stand beside `v1/` */
const openaiServer = (slug: string, title: string, base: string, beside: readonly string[]) =>
  openaiLike({
    slug,
    title,
    base,
    auth: bearer,
    keyless: true,
    paths: { beside },
    quirks: [noDeveloperRole, ...everyHarmlessRepair],
  })

export const lmstudio = openaiServer('lmstudio', 'LM Studio', 'http://127.0.0.1:1234/v1', ['api'])
export const vllm = openaiServer('vllm', 'vLLM', 'http://127.0.0.1:8000/v1', [
  'classify',
  'detokenize',
  'health',
  'ping',
  'pooling',
  'rerank',
  'score',
  'tokenize',
  'v2',
  'version',
])
export const llamacpp = openaiServer('llamacpp', 'llama.cpp', 'http://127.0.0.1:8080/v1', [
  'apply-template',
  'completion',
  'detokenize',
  'embedding',
  'health',
  'infill',
  'props',
  'reranking',
  'tokenize',
])
