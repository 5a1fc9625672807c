import type { Config, CustomProviderSettings, ProviderSettings } from '../config/schema.ts'
import { custom } from './custom.ts'
import { builtIn } from './index.ts'
import { withoutVersion } from './native/tolerant-path.ts'
import type { Provider } from './provider.ts'

/** A provider together with what the operator configured for it. */
export interface Reach {
  provider: Provider
  settings: ProviderSettings
  /** The base address without its trailing slash; may still hold placeholders. */
  base: string
  /** The same without a version at its end: a path that names its version goes below this. */
  unversioned: string
  /** The keys or deployments that requests are spread over. */
  members?: readonly PoolMember[]
  /** Of a member: what it is one of. */
  whole?: Reach
  /** Of one that the API may change: another word after every change, so that no answer from before it is given again. */
  revision?: string
}

/** A custom provider that the management API made. */
export interface StoredProvider {
  name: string
  settings: CustomProviderSettings
  revision: string
}

/** One of several ways to the same provider. */
export interface PoolMember {
  /** The same from one reading of the configuration to the next. */
  id: string
  alias: string
  key?: string
  reach: Reach
}

/** Finds providers by every prefix that stands for them in a model's name. */
export class Registry {
  readonly #reaches = new Map<string, Reach>()
  /** Each provider once, the operator's own first. */
  readonly all: readonly Reach[]

  /** @param stored gives way where the configuration has one of the same name */
  constructor(config: Config, stored: readonly StoredProvider[] = []) {
    const all: Reach[] = []
    const own: [string, Reach][] = []
    const declared = Object.entries(config.custom_providers).map(([name, settings]) => ({ name, settings }))
    for (const { name, settings, revision } of [...declared, ...stored] as (StoredProvider | Declared)[]) {
      if (this.#reaches.has(`custom-${name}`)) continue
      const reach = reachOf(custom(name, settings), settings)
      if (revision !== undefined) reach.revision = revision
      all.push(reach)
      own.push([name, reach])
      this.#reaches.set(reach.provider.slug, reach)
    }
    for (const provider of builtIn) {
      const reach = reachOf(provider, config.providers[provider.slug] ?? {})
      all.push(reach)
      for (const prefix of [provider.slug, ...provider.aliases]) this.#reaches.set(prefix, reach)
    }
    // An operator's own name works without `custom-` too, as long as no known provider has it.
    for (const [name, reach] of own) if (!this.#reaches.has(name)) this.#reaches.set(name, reach)
    this.all = all
  }

  find(prefix: string): Reach | undefined {
    return this.#reaches.get(prefix)
  }

  prefixes(): string[] {
    return [...this.#reaches.keys()]
  }
}

type Declared = Omit<StoredProvider, 'revision'> & { revision?: undefined }

function reachOf(provider: Provider, settings: ProviderSettings): Reach {
  const reach = plainReach(provider, settings)
  const members = settings.strategy && membersOf(reach)
  if (members) reach.members = members
  return reach
}

function plainReach(provider: Provider, settings: ProviderSettings): Reach {
  const base = (settings.base_url ?? provider.base).replace(/\/+$/, '')
  return { provider, settings, base, unversioned: withoutVersion(base) }
}

/** The deployments where there are some, otherwise the keys; of keys less than two are no pool. */
function membersOf(whole: Reach): PoolMember[] | undefined {
  const { provider, settings } = whole
  const keys = settings.keys ?? {}
  if (!settings.pool) {
    const members = Object.entries(keys).map(([alias, key]) => ({ id: alias, alias, key, reach: { ...whole, whole } }))
    return members.length > 1 ? members : undefined
  }
  return settings.pool.map(({ key: alias = 'default', ...place }) => {
    const key = keys[alias]
    return {
      id: JSON.stringify([alias, place]),
      alias,
      ...(key !== undefined && { key }),
      reach: { ...plainReach(provider, { ...settings, ...place }), whole },
    }
  })
}
