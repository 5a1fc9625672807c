import type { Config, ProviderSettings } from '../config/schema.ts'
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
}

/** Finds providers by every prefix that stands for them in a model's name. */
export class Registry {
  readonly #reaches = new Map<string, Reach>()
  /** Each provider once, the operator's own first. */
  readonly all: readonly Reach[]

  constructor(config: Config) {
    const all: Reach[] = []
    const own: [string, Reach][] = []
    for (const [name, settings] of Object.entries(config.custom_providers)) {
      const reach = reachOf(custom(name, settings), settings)
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

function reachOf(provider: Provider, settings: ProviderSettings): Reach {
  const base = (settings.base_url ?? provider.base).replace(/\/+$/, '')
  return { provider, settings, base, unversioned: withoutVersion(base) }
}
