import type { JsonObject } from '../conversation/conversation.ts'
import type { DialectName, Quirk } from '../dialects/dialect.ts'
import type { Authenticator } from './auth/auth.ts'
import { type Native, type NativeAddress, NativeFault, type NativePlace } from './native/address.ts'
import { below } from './native/below.ts'
import type { Realtime } from './native/realtime.ts'
import { refuseSteps, type Tolerance } from './native/tolerant-path.ts'
import { MissingSetting } from './placeholders.ts'

/** How a model is reached at a provider. */
export interface Endpoint {
  dialect: DialectName
  /** The path behind the base address. */
  path: string
  /** The last touch to a written body, for what belongs to the address rather than to the dialect. */
  finish?(body: JsonObject): JsonObject
  /** Headers that this address wants whatever the credential. */
  headers?: Record<string, string>
}

/** What fills the placeholders of a base address and decides how a model is reached. */
export interface Place {
  model: string
  stream: boolean
  /** The base address as configured, before its placeholders are filled. */
  base: string
  resource?: string
  deployment?: string
  api_version?: string
  region?: string
  project?: string
  account?: string
}

/** A model as a provider lists it. */
export interface ListedModel {
  id: string
  /** Seconds since 1970. */
  created?: number
}

export interface ModelList {
  path: string
  /** Reads a list; what is not a model for chat is left out. */
  read(body: unknown): ListedModel[]
}

/** All there is to a provider: a wire format is described in dialects/, and here stands who speaks it, where and how. */
export interface Provider {
  slug: string
  /** The name for people. */
  title: string
  /** Other prefixes that mean this provider, as clients of Cloudflare's product write them (contract 1.3). */
  aliases: readonly string[]
  /** The upstream base of contract table 1.5; may hold {resource}, {deployment}, {region}, {account}, {model}. */
  base: string
  /** How its models are reached for chat; a function where that depends on the model. Absent where there is no chat. */
  endpoint?: Endpoint | ((place: Place) => Endpoint)
  auth: Authenticator
  /** The headers in which clients of this provider send its key, in lower case, the usual one first. */
  keyIn: readonly string[]
  /** The query parameter in which they may send it instead. */
  keyQuery?: string
  /**
   * Where a request in the provider's own format goes.
   * @param path what stands behind the slug: as it was escaped, without its query
   * @throws NativeFault when it leads nowhere, or when a setting that the address needs is missing
   * @throws CredentialFault when the credential decides the address and cannot be read
   */
  native(path: string, place: NativePlace): NativeAddress
  /** What is different about its sockets. */
  realtime?: Realtime
  /** What a credential itself tells of where to go. @throws CredentialFault when it cannot be read */
  placeIn?(credential: string): { region?: string; project?: string }
  /** Forgets what was obtained with a credential, after the provider refused it. */
  forget?(credential: string): void
  defaultRegion?: string
  /** The variable from which a key is taken when the file names none, for messages. */
  variable?: string
  /** Works without a key: a server on the operator's own machine or network. */
  keyless: boolean
  /** Keeps to its dialect's format exactly, so that its bytes pass unchanged to clients of that dialect. */
  faithful: boolean
  quirks: readonly Quirk[]
  /** Headers of the client's that mean something to this provider, in lower case. */
  passes: readonly string[]
  models?: ModelList
  /** The provider's id in the price list, where it differs from the slug. */
  priced?: string
}

type Given = Pick<Provider, 'slug' | 'title' | 'base' | 'auth'> &
  Partial<Provider> & {
    /** What clients write differently in native paths, where these go below the base in the usual way. */
    paths?: Tolerance
  }

export function provider({ paths, ...given }: Given): Provider {
  const native = checked(given, given.native ?? below(given.base, paths))
  const { realtime } = given
  return {
    aliases: [],
    keyless: false,
    faithful: false,
    quirks: [],
    passes: [],
    keyIn: ['authorization'],
    ...given,
    native,
    ...(realtime?.native && { realtime: { ...realtime, native: checked(given, realtime.native) } }),
  }
}

/** Whatever a provider makes of a path: it stays below the base, and what is missing is named. */
function checked({ slug, title, defaultRegion }: Given, native: Native): Native {
  return (path, place) => {
    refuseSteps(path)
    const region = place.region ?? defaultRegion
    try {
      return native(path.replace(/^\/+/, ''), region === place.region ? place : { ...place, region })
    } catch (fault) {
      if (!(fault instanceof MissingSetting)) throw fault
      const where = slug.startsWith('custom-') ? `custom_providers.${slug.slice(7)}` : `providers.${slug}`
      throw new NativeFault(`${title} needs its ${fault.setting}: set ${where}.${fault.setting} in postern.yaml`)
    }
  }
}

/** How a model is reached for chat; undefined at a provider without chat. */
export function endpointOf(provider: Provider, place: Place): Endpoint | undefined {
  return typeof provider.endpoint === 'function' ? provider.endpoint(place) : provider.endpoint
}

/** A model id as steps of a path, where the provider wants its slashes and `@` as they are (trap 58). */
export const modelPath = (model: string) => encodeURIComponent(model).replaceAll('%2F', '/').replaceAll('%40', '@')

/** The list that OpenAI's `GET /models` gives; servers like it may leave out the wrapper. */
export function openaiModels(path: string, keep: (id: string) => boolean = () => true): ModelList {
  return {
    path,
    read(body) {
      const list = Array.isArray(body) ? body : (body as { data?: unknown } | null)?.data
      if (!Array.isArray(list)) return []
      return (list as { id?: unknown; created?: unknown }[]).flatMap(({ id, created }) =>
        typeof id === 'string' && keep(id)
          ? [{ id, ...(typeof created === 'number' && created > 0 && { created }) }]
          : [],
      )
    },
  }
}

type OpenaiLike = Given & { path?: string; list?: string | false }

/** A provider that speaks OpenAI's format, or nearly: `path` is its chat path behind the base. */
export function openaiLike({ path = 'chat/completions', list, ...given }: OpenaiLike): Provider {
  const models = list === false ? undefined : openaiModels(list ?? path.replace('chat/completions', 'models'))
  return provider({ endpoint: { dialect: 'openai-chat', path }, ...(models && { models }), ...given })
}
