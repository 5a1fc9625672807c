import type { CustomProviderSettings } from '../config/schema.ts'
import type { StoredProvider } from '../providers/registry.ts'
import type { GatewaySettings } from '../schemas/gateway.ts'
import type { StoredCustomProvider } from '../storage/custom-providers.ts'
import type { StoredGateway } from '../storage/gateways.ts'
import type { KeyCipher, KeyScope, SealedKey } from '../storage/key-cipher.ts'
import type { Store } from '../storage/store.ts'
import type { Logger } from '../telemetry/log.ts'

/** How long what the store said holds: what other processes change is in force here within this time. */
const HOLD_MS = 2_000
/** All of them are in the memory of every process. */
const MOST_GATEWAYS = 1_000
const MOST_PROVIDERS = 1_000

/** A gateway of the store with all of its settings. */
export type ManagedGateway = Omit<StoredGateway, 'sealed'>
/** A custom provider of the store; its headers are a JSON object. */
export type ManagedProvider = Omit<StoredCustomProvider, 'sealed'> & { headers?: string }

/** Members of a gateway's settings that hold credentials. */
const SECRET = ['otel', 'stripe'] as const

/**
 * The gateways and custom providers that the management API made. Every process knows all of them, and looks every two
 * seconds whether any has changed, when there is a request that asks. While the store cannot be read what was known stays
 * in force.
 */
export class StoredObjects {
  gateways: ReadonlyMap<string, GatewaySettings> = new Map()
  /** Those that are enabled. */
  providers: readonly StoredProvider[] = []
  readonly #store: Store
  readonly #cipher: KeyCipher
  readonly #log: Logger
  readonly #onChange: () => void
  #stamp: string | undefined
  #until = 0
  #asking: Promise<void> | undefined
  #failing = false

  /** @param onChange is called when either has become another */
  constructor(store: Store, cipher: KeyCipher, log: Logger, onChange: () => void) {
    this.#store = store
    this.#cipher = cipher
    this.#log = log
    this.#onChange = onChange
  }

  /** A promise when the store must be asked first, which never fails; nothing when it was asked lately. */
  refresh(): Promise<void> | undefined {
    if (this.#until > Date.now()) return undefined
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined
    })
    // A store that does not answer keeps nobody waiting but the first.
    return this.#failing ? undefined : this.#asking
  }

  /** Every gateway of the store, oldest first. */
  async listGateways(): Promise<ManagedGateway[]> {
    return (await this.#store.gateways.list()).map(row => this.#gatewayOf(row))
  }

  async addGateway(id: string, settings: GatewaySettings): Promise<ManagedGateway | 'taken' | 'full'> {
    const now = Date.now()
    const row = { id, ...this.#sealedGateway(id, settings), created: now, modified: now }
    const added = await this.#store.gateways.add(row, MOST_GATEWAYS)
    await this.#changed()
    return added === 'added' ? { id, settings, created: now, modified: now } : added
  }

  /** Puts new settings in the place of the old ones. @returns nothing where it is gone */
  async changeGateway(gateway: ManagedGateway, settings: GatewaySettings): Promise<ManagedGateway | undefined> {
    const { id, created } = gateway
    const modified = Math.max(Date.now(), gateway.modified + 1)
    const row = { id, ...this.#sealedGateway(id, settings), created, modified }
    const changed = await this.#store.gateways.change(row)
    await this.#changed()
    return changed ? { id, settings, created, modified } : undefined
  }

  /** @returns whether it was there */
  async removeGateway(id: string): Promise<boolean> {
    const removed = await this.#store.gateways.remove(id)
    await this.#changed()
    return removed
  }

  /** Every custom provider of the store, by slug. */
  async listProviders(): Promise<ManagedProvider[]> {
    return (await this.#store.customProviders.list()).map(row => this.#providerOf(row))
  }

  /** @throws StorageError when there is no secret to seal its headers with */
  async addProvider(provider: ManagedProvider): Promise<'added' | 'taken' | 'full'> {
    const added = await this.#store.customProviders.add(this.#sealedProvider(provider), MOST_PROVIDERS)
    await this.#changed()
    return added
  }

  /** @returns whether it was still there @throws StorageError as {@link addProvider} does */
  async changeProvider(provider: ManagedProvider): Promise<boolean> {
    const changed = await this.#store.customProviders.change(this.#sealedProvider(provider))
    await this.#changed()
    return changed
  }

  /** @returns whether it was there */
  async removeProvider(provider: Pick<ManagedProvider, 'id' | 'slug'>): Promise<boolean> {
    const removed = await this.#store.customProviders.remove(provider)
    await this.#changed()
    return removed
  }

  /** This process has changed something, and knows it at once. */
  async #changed(): Promise<void> {
    // What is being read may have been read before.
    await this.#asking
    this.#stamp = undefined
    this.#until = 0
    await this.refresh()
  }

  async #ask(): Promise<void> {
    const { gateways, customProviders } = this.#store
    try {
      const stamp = `${await gateways.stamp()} ${await customProviders.stamp()}`
      if (stamp !== this.#stamp) {
        const found = await this.listGateways()
        const providers = await this.listProviders()
        this.gateways = new Map(found.map(({ id, settings }) => [id, settings]))
        this.providers = providers.filter(({ enable }) => enable).map(storedOf)
        this.#stamp = stamp
        this.#onChange()
      }
      this.#failing = false
    } catch (error) {
      if (!this.#failing)
        this.#log.error(
          { error },
          'the gateways and custom providers of the store cannot be read: what was known holds',
        )
      this.#failing = true
    }
    this.#until = Date.now() + HOLD_MS
  }

  #gatewayOf({ sealed, ...row }: StoredGateway): ManagedGateway {
    const text = sealed && this.#opened(sealed, gatewayScope(row.id), `gateway "${row.id}"`)
    return text === undefined
      ? row
      : { ...row, settings: { ...row.settings, ...(JSON.parse(text) as GatewaySettings) } }
  }

  #sealedGateway(id: string, settings: GatewaySettings): Pick<StoredGateway, 'settings' | 'sealed'> {
    const { otel, stripe, ...rest } = settings
    if (!SECRET.some(name => settings[name])) return { settings }
    const text = JSON.stringify({ otel, stripe } satisfies Record<(typeof SECRET)[number], unknown>)
    return { settings: rest, sealed: this.#cipher.seal(text, gatewayScope(id)) }
  }

  #providerOf({ sealed, ...row }: StoredCustomProvider): ManagedProvider {
    const headers = sealed && this.#opened(sealed, providerScope(row.id), `custom provider "${row.slug}"`)
    return headers === undefined ? row : { ...row, headers }
  }

  #sealedProvider({ headers, ...row }: ManagedProvider): StoredCustomProvider {
    return headers === undefined ? row : { ...row, sealed: this.#cipher.seal(headers, providerScope(row.id)) }
  }

  #opened(sealed: SealedKey, scope: KeyScope, whose: string): string | undefined {
    const text = this.#cipher.open(sealed, scope)
    if (text === undefined)
      this.#log.error(`the credentials of the ${whose} cannot be decrypted: storage.encryption_key is not what it was`)
    return text
  }
}

const gatewayScope = (gateway: string) => ({ provider: '', alias: 'settings', gateway })
const providerScope = (id: string) => ({ provider: id, alias: 'headers' })

/** As the registry takes it. */
function storedOf({ id, slug, base_url, headers, details, modified }: ManagedProvider): StoredProvider {
  const { dialect, faithful } = details
  const settings: CustomProviderSettings = {
    base_url,
    dialect: (dialect ?? 'openai-chat') as NonNullable<CustomProviderSettings['dialect']>,
    faithful: faithful ?? false,
    ...(headers !== undefined && { headers: JSON.parse(headers) as Record<string, string> }),
  }
  return { name: slug, settings, revision: `${id}:${modified}` }
}
