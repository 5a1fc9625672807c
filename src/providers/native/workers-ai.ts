import { fill, fillsOf } from '../placeholders.ts'
import type { NativeAddress, NativePlace } from './address.ts'
import { placedBy, unescaped } from './wire.ts'

/**
 * Workers AI: a model's path goes below `…/ai/run`, with or without `run/` in front; `v1/…`, its OpenAI-like half, stands
 * beside it (contract 1.6).
 */
export function workersAiNative(path: string, place: NativePlace): NativeAddress {
  const base = fill(place.base, fillsOf(place))
  const rest = path.startsWith('ai/') ? path.slice(3) : path
  if (/^v\d+(?:\/|$)/.test(rest)) {
    const url = `${base.replace(/\/run$/, '')}/${rest}`
    return { url, ...placedBy(url) }
  }
  const model = rest.replace(/^run(?:\/|$)/, '')
  if (model === '') return { url: base }
  return { url: `${base}/${model}`, watch: 'workers-ai', model: unescaped(model) }
}
