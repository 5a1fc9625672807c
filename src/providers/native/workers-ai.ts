import { fill, fillsOf } from '../placeholders.ts'
import { type NativeAddress, NativeFault, type NativePlace } from './address.ts'
import { refuseSteps } from './tolerant-path.ts'
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

/** A socket's model stands in the query, where no path names it: `?model=@cf/deepgram/flux` (contract 1.9). */
export function workersAiSocket(path: string, place: NativePlace): NativeAddress {
  if (path !== '') return workersAiNative(path, place)
  const pairs = (place.query ?? '').split('&')
  const named = pairs.find(pair => pair.startsWith('model='))
  const model = unescaped((named ?? '').slice('model='.length))
  if (!model) throw new NativeFault('no model is named; expected workers-ai?model=@cf/deepgram/flux')
  refuseSteps(model)
  return { ...workersAiNative(modelPath(model), place), query: pairs.filter(pair => pair !== named).join('&') }
}

/** As its addresses have it: slashes and `@` stay. */
const modelPath = (model: string) => encodeURIComponent(model).replaceAll('%2F', '/').replaceAll('%40', '@')
