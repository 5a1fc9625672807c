import { declaredAt } from '../../config/declared.ts'
import { demandManaged, type Manager, notThere } from '../../gateway/manage.ts'
import type { Reach } from '../../providers/registry.ts'
import {
  NewProviderConfig,
  type ProviderConfig,
  ProviderConfigChange,
} from '../../schemas/management/provider-configs.ts'
import { cleanKey, isAlias, previewOf, wrongKey } from '../../storage/key-text.ts'
import type { StoredKey } from '../../storage/store.ts'
import { invalid, success, taken, unchangeable } from './answers.ts'
import type { ManagementHandler } from './call.ts'
import { bodyReader } from './input.ts'
import { pageFrom, pageOf } from './paging.ts'

/**
 * The stored keys of providers (contract 11.7). A gateway has its own; those for all gateways and those of the
 * configuration serve it too, so they are listed with it, marked, and changed elsewhere.
 */

const readNew = bodyReader(NewProviderConfig)
const readChange = bodyReader(ProviderConfigChange)

/** A key as it is told of, and what it is in truth. */
interface Listed {
  config: ProviderConfig
  /** Of the store. */
  key?: StoredKey
  /** Of the configuration. */
  reach?: Reach
}

const listProviderConfigs: ManagementHandler = async ({ request, params, manager }) => {
  const { gateway = '' } = params
  demandManaged(manager, gateway)
  const page = pageOf(request)
  return pageFrom(
    (await listedOf(manager, gateway)).map(({ config }) => config),
    page,
  )
}

const getProviderConfig: ManagementHandler = async ({ params, manager }) =>
  success((await found(manager, params)).config)

const createProviderConfig: ManagementHandler = async ({ request, params, manager }) => {
  const { gateway = '' } = params
  demandManaged(manager, gateway)
  const { settings } = manager
  const { value, notes } = await readNew(request, settings.config.server.max_body)
  const provider = settings.registry.find(value.provider_slug)?.provider
  if (!provider)
    throw wrong('provider_slug', 'there is no such provider; servers of your own go under custom_providers')
  const { alias, secret, rate_limit, rate_limit_period } = value
  if (!isAlias(alias)) throw wrong('alias', 'expected 1 to 64 letters, digits, ".", "_" and "-"')
  if (secret === undefined)
    throw wrong(
      'secret',
      value.secret_id === undefined ? 'required' : 'required; there is no secrets store for secret_id',
    )
  const text = keyIn(secret)
  const now = Date.now()
  const key = {
    id: Bun.randomUUIDv7(),
    provider: provider.slug,
    alias,
    gateway,
    is_default: value.default_config,
    preview: previewOf(text),
    ...limitsOf(rate_limit, rate_limit_period),
    created: now,
    modified: now,
  }
  if (!(await settings.keys.add(text, key)))
    throw taken(`alias: this gateway has a key of that name for ${provider.slug} already; change it, or choose another`)
  told(manager, 'provider key stored', key)
  if (value.secret_id !== undefined) notes.push('secret_id: without effect beside secret; there is no secrets store')
  if (Object.hasOwn(settings.registry.find(provider.slug)?.settings.keys ?? {}, alias))
    notes.push('alias: the configuration has a key of that name too, and that one wins')
  return success(configOf(key, gateway), { notes })
}

/** PUT: what the body leaves out goes back to what it is in a new key. The key itself, which nobody can read, stays. */
const replaceProviderConfig: ManagementHandler = async ({ request, params, manager }) => {
  const { config, key } = await changeable(manager, params)
  const { value, notes } = await readNew(request, manager.settings.config.server.max_body)
  return changed(manager, config, key, { rate_limit: null, rate_limit_period: null, ...value }, notes)
}

const changeProviderConfig: ManagementHandler = async ({ request, params, manager }) => {
  const { config, key } = await changeable(manager, params)
  const { value, notes } = await readChange(request, manager.settings.config.server.max_body)
  return changed(manager, config, key, value, notes)
}

const deleteProviderConfig: ManagementHandler = async ({ params, manager }) => {
  const { config, key } = await changeable(manager, params)
  if (!(await manager.settings.keys.remove(key))) throw notThere('provider config')
  told(manager, 'provider key removed', key)
  return success(config)
}

export const providerConfigs = {
  listProviderConfigs,
  createProviderConfig,
  getProviderConfig,
  replaceProviderConfig,
  changeProviderConfig,
  deleteProviderConfig,
}

/** The gateway's own keys, then those for all, then those of the configuration; each by provider and alias. */
async function listedOf({ store, settings }: Manager, gateway: string): Promise<Listed[]> {
  const stored = await store.keys.list()
  const listed = (keys: StoredKey[]): Listed[] => keys.map(key => ({ config: configOf(key, gateway), key }))
  const declared = settings.registry.all.flatMap(reach =>
    Object.keys(reach.settings.keys ?? {}).map(alias => ({
      config: declaredConfig(settings, reach, alias, gateway),
      reach,
    })),
  )
  return [
    ...listed(stored.filter(key => key.gateway === gateway)),
    ...listed(stored.filter(key => key.gateway === undefined)),
    ...declared,
  ]
}

async function found(manager: Manager, { gateway = '', id }: Readonly<Record<string, string>>): Promise<Listed> {
  demandManaged(manager, gateway)
  const one = (await listedOf(manager, gateway)).find(({ config }) => config.id === id)
  if (!one) throw notThere('provider config')
  return one
}

/** @throws GatewayFault 409 for a key that is not this gateway's alone */
async function changeable(manager: Manager, params: Readonly<Record<string, string>>) {
  const { config, key, reach } = await found(manager, params)
  const { alias, provider_slug: slug } = config
  if (!key)
    throw unchangeable(
      `the key "${alias}" for ${slug} ${whereDeclared(manager.settings, reach!, alias)}: change it there`,
    )
  if (key.gateway === undefined)
    throw unchangeable(`the key "${alias}" for ${slug} is one for all gateways: change it with \`postern key\``)
  return { config, key }
}

async function changed(
  manager: Manager,
  config: ProviderConfig,
  key: StoredKey,
  change: ProviderConfigChange,
  notes: string[],
): Promise<Response> {
  const { provider_slug, alias, secret, secret_id, default_config = key.is_default } = change
  const { rate_limit = key.rate_limit, rate_limit_period = key.rate_limit_period } = change
  const other = 'cannot be changed; store another key, and remove this one'
  if (provider_slug !== undefined && manager.settings.registry.find(provider_slug)?.provider.slug !== key.provider)
    throw wrong('provider_slug', other)
  if (alias !== undefined && alias !== key.alias) throw wrong('alias', other)
  if (secret_id !== undefined && secret_id !== config.secret_id)
    throw wrong('secret_id', 'there is no secrets store; send the key itself as secret')
  const text = secret === undefined ? undefined : keyIn(secret)
  const { rate_limit: _, rate_limit_period: __, ...rest } = key
  const next: StoredKey = {
    ...rest,
    ...limitsOf(rate_limit, rate_limit_period),
    is_default: default_config,
    ...(text !== undefined && { preview: previewOf(text) }),
    // A key is known by its id and this: two changes within one millisecond are still two.
    modified: Math.max(Date.now(), key.modified + 1),
  }
  if (!(await manager.settings.keys.change(next, text))) throw notThere('provider config')
  told(manager, 'provider key changed', next)
  return success(configOf(next, config.gateway_id), { notes })
}

const limitsOf = (rate_limit?: number | null, rate_limit_period?: number | null) => ({
  ...(typeof rate_limit === 'number' && { rate_limit }),
  ...(typeof rate_limit_period === 'number' && { rate_limit_period }),
})

/** @throws GatewayFault 400/7001 for what cannot be a key */
function keyIn(secret: string): string {
  const text = cleanKey(secret)
  const why = text ? wrongKey(text) : 'expected a string that is not empty'
  if (why !== undefined) throw wrong('secret', why)
  return text
}

const wrong = (path: string, why: string) => invalid('body', { path, message: `${path}: ${why}` })

type Told = Pick<StoredKey, 'id' | 'provider' | 'alias' | 'gateway'>

const told = ({ settings, caller }: Manager, what: string, { id, provider, alias, gateway }: Told) =>
  settings.log.info({ by: caller.name, gateway, provider, alias, key: id }, what)

type Shown = Omit<StoredKey, 'ciphertext' | 'nonce'>

const configOf = (key: Shown, gateway: string): ProviderConfig => ({
  id: key.id,
  gateway_id: gateway,
  provider_slug: key.provider,
  alias: key.alias,
  default_config: key.is_default,
  secret_id: key.id,
  secret_preview: `…${key.preview}`,
  ...limitsOf(key.rate_limit, key.rate_limit_period),
  modified_at: new Date(key.modified).toISOString(),
  ...(key.gateway === undefined && { shared: true }),
})

function declaredConfig({ config }: Manager['settings'], reach: Reach, alias: string, gateway: string): ProviderConfig {
  const { slug } = reach.provider
  const inFile = declaredAt(config, placeOf(slug, alias)) !== undefined
  const id = `${inFile ? 'file' : 'environment'}:${slug}:${alias}`
  return {
    id,
    gateway_id: gateway,
    provider_slug: slug,
    alias,
    default_config: alias === 'default',
    secret_id: id,
    secret_preview: '',
    // What the environment says has been so since the process began.
    modified_at: new Date((inFile && config.declared?.modified) || performance.timeOrigin).toISOString(),
    declared: true,
  }
}

/** Where a key of the configuration stands in the file, if it does. */
const placeOf = (slug: string, alias: string): string[] =>
  slug.startsWith('custom-') ? ['custom_providers', slug.slice(7), 'keys', alias] : ['providers', slug, 'keys', alias]

function whereDeclared({ config }: Manager['settings'], { provider }: Reach, alias: string): string {
  const place = declaredAt(config, placeOf(provider.slug, alias))
  if (place !== undefined) return `is declared in ${place}`
  return `comes from the environment${provider.variable ? ` (${provider.variable})` : ''}`
}
