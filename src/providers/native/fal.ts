import { fill, fillsOf } from '../placeholders.ts'
import { type NativeAddress, NativeFault, type NativePlace } from './address.ts'
import { refuseSteps } from './tolerant-path.ts'
import { unescaped } from './wire.ts'

export const FAL = 'https://fal.run'

/** Where it serves any app over a socket, in the form of its requests. */
const FAL_SOCKETS = 'https://ws.fal.run'

/** fal's own hosts, which may see its key; no user name and no port in front of or behind them. */
const FALS = /^https:\/\/((?:[a-z0-9-]+\.)*fal\.(?:run|ai|media))(\/[^?#\s]*)?(?:\?([^#\s]*))?$/i

/** The app of a path: `fal-ai/flux/dev/requests/{id}/status` is about `fal-ai/flux/dev`. */
const appOf = (path: string) => unescaped(path.replace(/\/requests(?:\/.*)?$/, ''))

/** fal: apps by their names below its base, or whatever `x-fal-target-url` says instead. */
export function falNative(path: string, place: NativePlace): NativeAddress {
  const target = place.headers?.get('x-fal-target-url')
  if (target) return falTarget(target, place)
  const base = fill(place.base, fillsOf(place))
  return path === '' ? { url: base } : { url: `${base}/${path}`, model: appOf(path) }
}

/**
 * A socket of fal: an app's own real-time endpoint, or else the one that wraps its usual requests in frames.
 * @see https://fal.ai/docs/documentation/model-apis/inference/websockets
 */
export function falSocket(path: string, place: NativePlace): NativeAddress {
  const own = place.base === FAL && !/(?:^|\/)realtime$/.test(path)
  return falNative(path, own ? { ...place, base: FAL_SOCKETS } : place)
}

/**
 * Reads `x-fal-target-url`, with which fal's clients name the whole address that they mean when they speak through a
 * proxy. A configured base stands for all of fal's hosts.
 * @throws NativeFault for an address that is not fal's: the key would go there
 * @see https://docs.fal.ai/model-endpoints/server-side
 */
export function falTarget(value: string, place: NativePlace): NativeAddress {
  const [, host, path = '', query = ''] = FALS.exec(value.trim()) ?? []
  if (host === undefined)
    throw new NativeFault(
      'x-fal-target-url: expected an address that begins with https:// and a host of fal (fal.run, *.fal.run, *.fal.ai, fal.media)',
    )
  refuseSteps(path)
  const base = place.base === FAL ? `https://${host.toLowerCase()}` : fill(place.base, fillsOf(place))
  const model = appOf(path.slice(1))
  return { url: base + path, query, ...(model && { model }) }
}
