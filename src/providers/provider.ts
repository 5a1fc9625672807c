import type { JsonObject } from '../conversation/conversation.ts'
import type { DialectName, Quirk } from '../dialects/dialect.ts'
import type { Authenticator } from './auth/auth.ts'

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
  /** How its models are reached; a function where that depends on the model. */
  endpoint: Endpoint | ((place: Place) => Endpoint)
  auth: Authenticator
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

type Given = Pick<Provider, 'slug' | 'title' | 'base' | 'endpoint' | 'auth'> & Partial<Provider>

export function provider(given: Given): Provider {
  return { aliases: [], keyless: false, faithful: false, quirks: [], passes: [], ...given }
}

export function endpointOf(provider: Provider, place: Place): Endpoint {
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

type OpenaiLike = Pick<Provider, 'slug' | 'title' | 'base'> &
  Partial<Provider> & { path?: string; list?: string | false }

/** A provider that speaks OpenAI's format, or nearly: `path` is its chat path behind the base. */
export function openaiLike({
  path = 'chat/completions',
  list,
  auth,
  ...given
}: OpenaiLike & { auth: Authenticator }): Provider {
  const models = list === false ? undefined : openaiModels(list ?? path.replace('chat/completions', 'models'))
  return provider({ endpoint: { dialect: 'openai-chat', path }, auth, ...(models && { models }), ...given })
}
