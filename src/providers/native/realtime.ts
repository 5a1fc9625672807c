import type { Authenticator } from '../auth/auth.ts'
import type { Native } from './address.ts'

/** A subprotocol in which clients that can set no header, browsers above all, send a key. */
export interface KeyProtocol {
  /** What stands in front of the key in one item: `xi-api-key.<key>`. */
  prefix?: string
  /** An item of its own in front of the item that is the key: `token, <key>`. */
  word?: string
  /** The provider's own documents do not know it, so that a key from there goes into the usual header as well. */
  alsoInHeader?: boolean
}

/**
 * What is different about a provider's sockets. Where it has none of these, they are at its native addresses.
 */
export interface Realtime {
  /** The path that is meant where the client names none (contract 1.9). */
  path?: string
  /** Where a socket goes, where that differs from other requests; its place has the query. */
  native?: Native
  /** Query parameters in which a key, or a token that stands for one, may be, beside the provider's own. */
  keyQueries?: readonly string[]
  keyProtocols?: readonly KeyProtocol[]
  /** How the operator's key travels there, where it differs from the provider's usual way. */
  auth?: Authenticator
}

/** A key in a parameter of the address. */
export function inQuery(name: string): Authenticator {
  return (outgoing, credential) => {
    const mark = outgoing.url.includes('?') ? '&' : '?'
    outgoing.url += `${mark}${name}=${encodeURIComponent(credential)}`
  }
}
