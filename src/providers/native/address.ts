import type { Authenticator } from '../auth/auth.ts'
import type { Place } from '../provider.ts'
import type { NativeWire } from './wire.ts'

/** What the address of a request in a provider's own format may depend on, beside its path. */
export interface NativePlace extends Omit<Place, 'model' | 'stream'> {
  /** The key that will go upstream, where it is known: for some it decides the form of the path. */
  credential?: string
  /** The client's headers. */
  headers?: Pick<Headers, 'get'>
  /** The client's query without its question mark, for a socket's address: there it may name what stands in the path elsewhere. */
  query?: string
}

/** Where a request in a provider's own format goes, and what its path says about the answer. */
export interface NativeAddress {
  /** Without a query; the escapes of the client's path are as they were. */
  url: string
  /** Stands in the place of the client's query, without `?`; where it is empty, there is none. */
  query?: string
  /** How the operator's key travels there, where it differs from the provider's usual way. */
  auth?: Authenticator
  /** Where a key of the caller's that came as a bearer has to stand instead, in lower case. */
  bearerAs?: string
  /** For signatures. */
  region?: string
  /** The format of the answer to a POST; undefined where nothing can be read from it. */
  watch?: NativeWire
  /** The model, where it stands in the path. */
  model?: string
}

/** The path behind the provider's slug leads nowhere. The message says what it should look like. */
export class NativeFault extends Error {}

export type Native = (path: string, place: NativePlace) => NativeAddress
