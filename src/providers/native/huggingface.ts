import { fill, fillsOf } from '../placeholders.ts'
import type { NativeAddress, NativePlace } from './address.ts'
import { tolerantPath, withoutVersion } from './tolerant-path.ts'
import { placedBy, unescaped } from './wire.ts'

export const HUGGINGFACE = 'https://router.huggingface.co/v1'

/**
 * Where the models are that Hugging Face serves itself. The address that Cloudflare's documents name,
 * `api-inference.huggingface.co/models`, has answered 410 since 2025 and names this one.
 * @see https://huggingface.co/docs/inference-providers/providers/hf-inference
 */
const MODELS = 'https://router.huggingface.co/hf-inference/models'

/** The router's other providers, which have paths of their own behind their name (wire-formats section 16). */
const ROUTED = new Set(
  'cerebras cohere fal-ai featherless-ai fireworks-ai groq hf-inference hyperbolic nebius novita nscale ovhcloud publicai replicate sambanova scaleway together zai-org'.split(
    ' ',
  ),
)
const OPENAI = /^(?:chat\/completions|responses|embeddings|models)$/

/**
 * Hugging Face: `v1/…` is the router's OpenAI-like address, `{provider}/…` goes to a provider of the router, anything
 * else is `{org}/{model}`. Below a configured base the path stays as it is.
 */
export function huggingfaceNative(path: string, place: NativePlace): NativeAddress {
  const steps = path.split('/')
  const isRouted = ROUTED.has(steps[0]!) && (steps.length > 2 || steps[0] === 'hf-inference')
  const openai = OPENAI.test(path) ? `v1/${path}` : /^v\d+(?:\/|$)/.test(path) ? path : undefined
  const own = place.base === HUGGINGFACE
  const base = fill(place.base, fillsOf(place))
  if (path === '') return { url: base }
  if (openai !== undefined) {
    const url = tolerantPath(base, own ? openai : path)
    return { url, ...placedBy(url) }
  }
  const root = withoutVersion(base)
  if (isRouted) {
    const url = `${root}/${path}`
    return { url, ...placedBy(url) }
  }
  const name = path.replace(/^models\//, '')
  const url = `${own ? MODELS : root}/${name}`
  // Behind the model may stand a task, or the path of an OpenAI-like server.
  const [org = '', model = ''] = name.split('/')
  return { url, ...placedBy(url), ...(model && { model: unescaped(`${org}/${model}`) }) }
}
