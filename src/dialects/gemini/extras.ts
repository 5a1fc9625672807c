import type { JsonObject } from '../../conversation/conversation.ts'
import { isObject } from './schema-nodes.ts'

/** Members that Gemini's API has and OpenAI's has not, where callers put them for Google. */
export interface Extras {
  /** Members of the request itself. */
  request: JsonObject
  /** Members of `generationConfig`. */
  generation: JsonObject
  /** Google's own tools, such as `{googleSearch: {}}`. */
  tools: JsonObject[]
  /** The names of those that are not Gemini's. */
  dropped: string[]
}

const REQUEST = ['safetySettings', 'cachedContent', 'labels', 'modelArmorConfig']
const GENERATION = [
  'topK',
  'thinkingConfig',
  'mediaResolution',
  'responseModalities',
  'speechConfig',
  'imageConfig',
  'audioTimestamp',
  'enableEnhancedCivicAnswers',
  'routingConfig',
  'modelSelectionConfig',
  'responseMimeType',
  'responseSchema',
  'responseJsonSchema',
]
/** Values whose keys are the caller's own words. */
const VERBATIM = ['labels', 'responseSchema', 'responseJsonSchema']

/**
 * Sorts the unknown members of a request: at its top level, under `google`, and under `extra_body.google` as Google's
 * own OpenAI-compatible endpoint has them. Both ways of writing a name are taken (`safety_settings`, `safetySettings`).
 * @see https://ai.google.dev/gemini-api/docs/openai#extra-body
 */
export function readExtras(unknown: JsonObject): Extras {
  const extras: Extras = { request: {}, generation: {}, tools: [], dropped: [] }
  const take = (members: JsonObject, path: string) => {
    for (const [key, value] of Object.entries(members)) {
      const name = camel(key)
      if (REQUEST.includes(name)) extras.request[name] = VERBATIM.includes(name) ? value : camelKeys(value)
      else if (GENERATION.includes(name)) extras.generation[name] = VERBATIM.includes(name) ? value : camelKeys(value)
      else if (name === 'generationConfig' && isObject(value)) take(value, `${path}${key}.`)
      else if (name === 'tools' && path && Array.isArray(value))
        extras.tools.push(...(camelKeys(value) as JsonObject[]))
      else if (key === 'google' && isObject(value)) take(value, `${path}google.`)
      else if (key === 'extra_body' && isObject(value)) take(value, 'extra_body.')
      else if (key === 'modalities' && Array.isArray(value)) Object.assign(extras.generation, modalities(value))
      else extras.dropped.push(path + key)
    }
  }
  take(unknown, '')
  return extras
}

/** OpenAI's and OpenRouter's `modalities: ["text", "image"]`; text alone is what Gemini answers with anyway. */
function modalities(list: unknown[]): JsonObject {
  const words = list.filter(word => typeof word === 'string').map(word => word.toUpperCase())
  return words.some(word => word !== 'TEXT') ? { responseModalities: words } : {}
}

const camel = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

function camelKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelKeys)
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [camel(key), camelKeys(inner)]))
}
