import { familyOf } from '../../dialects/bedrock-converse/family.ts'
import type { WatchedFormat } from '../../dialects/watched/index.ts'

/** The format of an answer, for reading along. */
export type NativeWire = WatchedFormat

/** What the end of a path says, whoever serves it. */
const ENDINGS: readonly [RegExp, NativeWire][] = [
  [/\/(?:chat|fim)\/completions$/, 'openai-chat'],
  // Not `threads/{id}/messages`, which is OpenAI's.
  [/\/v1\/messages$/, 'anthropic-messages'],
  [/\/responses$/, 'openai-responses'],
  [/\/completions$/, 'openai-completions'],
  [/\/api\/chat$/, 'ollama-chat'],
  [/\/api\/(?:generate|embed)$/, 'ollama-generate'],
  [/\/v2\/chat$/, 'cohere-chat'],
  // Cohere's other addresses count alike; so did version 1 of its chat.
  [/\/v1\/chat$|\/v[12]\/(?:embed|rerank)$/, 'cohere-meta'],
  // Ollama's own `api/embeddings` counts nothing.
  [/(?<!\/api)\/embeddings$/, 'openai-embeddings'],
  [/\/images\/(?:generations|edits|variations)$/, 'openai-images'],
  [/\/audio\/(?:transcriptions|translations)$/, 'openai-transcriptions'],
  [/\/audio\/speech$/, 'openai-speech'],
  [/\/v1\/ocr$/, 'mistral-ocr'],
]

/** Google's form, `models/{model}:verb`; on Vertex a tuned model is an endpoint. */
const VERB = /\/(models|tunedModels|endpoints)\/([^/:]+?)(?::|%3A)([A-Za-z]+)$/i
const GEMINI_VERBS = new Set(['generateContent', 'streamGenerateContent', 'embedContent', 'batchEmbedContents'])
const BEDROCK = /\/model\/([^/]+)\/(converse|invoke)(?:-stream|-with-response-stream)?$/
const DEPLOYMENT = /\/openai\/deployments\/([^/]+)\//

export interface Placed {
  watch?: NativeWire
  model?: string
}

/**
 * Which format an answer of an address has, and the model where the address names it. This is about answers to a POST:
 * a GET of the same address lists or repeats what was asked before.
 * @param url without its query
 */
export function placedBy(url: string): Placed {
  const end = url.length - 1
  const path = url.charCodeAt(end) === 47 ? url.slice(0, end) : url
  const verb = VERB.exec(path)
  if (verb) return google(path, verb[1]!, verb[2]!, verb[3]!)
  const bedrock = BEDROCK.exec(path)
  if (bedrock) {
    const model = unescaped(bedrock[1]!)
    if (bedrock[2] === 'converse') return { watch: 'bedrock-converse', model }
    return { watch: familyOf(model) === 'claude' ? 'bedrock-invoke-anthropic' : 'bedrock-invoke', model }
  }
  const deployment = DEPLOYMENT.exec(path)?.[1]
  const watch = ENDINGS.find(([ending]) => ending.test(path))?.[1]
  return { ...(watch && { watch }), ...(deployment && { model: unescaped(deployment) }) }
}

function google(path: string, kind: string, name: string, verb: string): Placed {
  const model = kind === 'models' ? unescaped(name) : `${kind}/${unescaped(name)}`
  if (GEMINI_VERBS.has(verb)) return { watch: 'gemini', model }
  if (verb === 'predict') return { watch: 'vertex-predict', model }
  if (verb === 'rawPredict' || verb === 'streamRawPredict') {
    if (path.includes('/publishers/anthropic/'))
      // `count-tokens:rawPredict` answers with a number and costs nothing.
      return name === 'count-tokens' ? {} : { watch: 'anthropic-messages', model }
    if (path.includes('/publishers/mistralai/')) return { watch: 'openai-chat', model }
  }
  return { model }
}

/** A step of a path in plain text; what is no proper escape stays as it is. */
export function unescaped(step: string): string {
  if (!step.includes('%')) return step
  try {
    return decodeURIComponent(step)
  } catch {
    return step
  }
}
