import { withScheme } from '../auth/auth.ts'
import { fill, fillsOf } from '../placeholders.ts'
import { type NativeAddress, NativeFault, type NativePlace } from './address.ts'
import { below } from './below.ts'
import { placedBy } from './wire.ts'

export const BASETEN = 'https://inference.baseten.co'
const DEPLOYED = 'https://model-{model}.api.baseten.co'

const openaiLike = below(BASETEN, { version: 'v1' })
/** @see https://docs.baseten.co/inference/calling-your-model */
const auth = withScheme('Api-Key')

/**
 * Baseten: `model/{id}` is a deployed model, each on a host of its own, and calls its production environment unless
 * more of a path follows; anything else is the OpenAI-like address of the model APIs. A configured base with `{model}`
 * stands for the host of a deployed model; below any other the path stays as it is.
 */
export function basetenNative(path: string, place: NativePlace): NativeAddress {
  const [first, id, ...rest] = path.split('/')
  if (first !== 'model') return openaiLike(path, place)
  if (!id || !/^[A-Za-z0-9-]+$/.test(id))
    throw new NativeFault('the path does not name a model; expected baseten/model/{id} or baseten/v1/chat/completions')
  const tail = rest.join('/')
  const template = place.base === BASETEN ? DEPLOYED : place.base
  const base = fill(template, fillsOf(place), { model: id })
  const operation = tail === '' || tail === 'predict' ? 'production/predict' : tail
  const url = template.includes('{model}') ? `${base}/${operation}` : `${base}/${path}`
  return { url, auth, model: id, watch: placedBy(url).watch }
}
