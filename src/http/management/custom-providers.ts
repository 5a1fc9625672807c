import { declaredAt } from '../../config/declared.ts'
import type { CustomProviderSettings } from '../../config/schema.ts'
import { GatewayFault } from '../../gateway/fault.ts'
import { demandAllGateways, type Manager } from '../../gateway/manage.ts'
import type { ManagedProvider } from '../../gateway/stored-objects.ts'
import {
  type CustomProvider,
  CustomProviderChange,
  CustomProvidersQuery,
  NewCustomProvider,
} from '../../schemas/management/custom-providers.ts'
import type { CustomProviderDetails } from '../../storage/custom-providers.ts'
import { invalid, success, taken, unchangeable } from './answers.ts'
import type { ManagementHandler } from './call.ts'
import { bodyReader, queryReader } from './input.ts'
import { pageFrom, pageIn } from './paging.ts'

/**
 * Custom providers of the account (contract 1.8 and 11.9). Those of the configuration are listed with those of the store,
 * marked, and changed there.
 */

const readNew = bodyReader(NewCustomProvider)
const readChange = bodyReader(CustomProviderChange)
const readQuery = queryReader(CustomProvidersQuery)

/** Cloudflare's numbers. */
const BAD_ADDRESS = 1_002
const UNKNOWN = 1_004

/** A provider as it is told of. */
interface Listed {
  shown: CustomProvider
  /** Of the store. */
  kept?: ManagedProvider
}

const listCustomProviders: ManagementHandler = async ({ request, manager }) => {
  demandAllGateways(manager)
  const { enable, beta, search = '', order_by, ...page } = readQuery(request)
  const part = search.toLowerCase()
  const list = (await listedOf(manager))
    .map(({ shown }) => shown)
    .filter(one => typeof enable !== 'boolean' || one.enable === enable)
    .filter(one => typeof beta !== 'boolean' || (one.beta ?? false) === beta)
    .filter(({ id, name, slug }) => [id, name, slug].some(text => text.toLowerCase().includes(part)))
    .sort(byOrder(order_by))
  return pageFrom(list, pageIn(page))
}

const getCustomProvider: ManagementHandler = async ({ params, manager }) =>
  success((await found(manager, params)).shown)

const createCustomProvider: ManagementHandler = async ({ request, manager }) => {
  demandAllGateways(manager)
  const { settings, caller } = manager
  const { value, notes } = await readNew(request, settings.config.server.max_body)
  const { name, slug, base_url, enable, headers } = value
  demandAddress(base_url)
  const taker = `slug: there is a custom provider "${slug}" already`
  if (settings.config.custom_providers[slug]) throw taken(`${taker}, in ${placeOf(manager, slug)}`)
  const now = Date.now()
  const provider: ManagedProvider = {
    id: Bun.randomUUIDv7(),
    slug,
    name,
    base_url,
    enable: enable ?? false,
    details: detailsOf(value, {}),
    ...(typeof headers === 'string' && { headers: headersIn(headers) }),
    created: now,
    modified: now,
  }
  const added = await settings.stored.addProvider(provider)
  if (added === 'taken') throw taken(`${taker}; change it, or choose another slug`)
  if (added === 'full') throw invalid('body', { path: 'slug', message: 'slug: there are as many as there may be' })
  settings.log.info({ by: caller.name, provider: `custom-${slug}` }, 'custom provider made')
  return success(shownOf(manager, provider), { notes })
}

/** The answers that were kept before belong to another address, and are not given again (see the registry's `revision`). */
const changeCustomProvider: ManagementHandler = async ({ request, params, manager }) => {
  const kept = await changeable(manager, params)
  const { settings, caller } = manager
  const { value, notes } = await readChange(request, settings.config.server.max_body)
  const { name = kept.name, slug = kept.slug, base_url = kept.base_url, enable = kept.enable, headers } = value
  if (slug !== kept.slug)
    throw wrong('slug', 'cannot be changed, for keys are stored under it; make another provider, and remove this one')
  demandAddress(base_url)
  const { headers: before, ...rest } = kept
  const said = headers === undefined ? before : headers === null ? undefined : headersIn(headers)
  const next: ManagedProvider = {
    ...rest,
    name,
    base_url,
    enable: enable ?? false,
    details: detailsOf(value, kept.details),
    ...(said !== undefined && { headers: said }),
    modified: Math.max(Date.now(), kept.modified + 1),
  }
  if (!(await settings.stored.changeProvider(next))) throw unknown()
  settings.log.info({ by: caller.name, provider: `custom-${slug}` }, 'custom provider changed')
  return success(shownOf(manager, next), { notes })
}

const deleteCustomProvider: ManagementHandler = async ({ params, manager }) => {
  const kept = await changeable(manager, params)
  const { settings, caller } = manager
  if (!(await settings.stored.removeProvider(kept))) throw unknown()
  settings.keys.forget(`custom-${kept.slug}`)
  settings.log.info({ by: caller.name, provider: `custom-${kept.slug}` }, 'custom provider removed')
  return success(shownOf(manager, kept))
}

export const customProviders = {
  listCustomProviders,
  getCustomProvider,
  createCustomProvider,
  changeCustomProvider,
  deleteCustomProvider,
}

async function listedOf(manager: Manager): Promise<Listed[]> {
  const { config, stored } = manager.settings
  const declared = Object.entries(config.custom_providers).map(([slug, settings]) => ({
    shown: declaredOf(manager, slug, settings),
  }))
  const kept = (await stored.listProviders()).filter(({ slug }) => !config.custom_providers[slug])
  return [...declared, ...kept.map(one => ({ shown: shownOf(manager, one), kept: one }))]
}

/** @throws GatewayFault 404/1004 */
async function found(manager: Manager, { id }: Readonly<Record<string, string>>): Promise<Listed> {
  demandAllGateways(manager)
  const one = (await listedOf(manager)).find(({ shown }) => shown.id === id)
  if (!one) throw unknown()
  return one
}

/** @throws GatewayFault 409 for a provider of the configuration */
async function changeable(manager: Manager, params: Readonly<Record<string, string>>): Promise<ManagedProvider> {
  const { shown, kept } = await found(manager, params)
  if (kept) return kept
  const { slug } = shown
  throw unchangeable(`the custom provider "${slug}" is declared in ${placeOf(manager, slug)}: change it there`)
}

const placeOf = ({ settings: { config } }: Manager, slug: string) =>
  declaredAt(config, ['custom_providers', slug]) ?? 'the configuration'

const DETAILS = [
  'beta',
  'description',
  'link',
  'logo',
  'curl_example',
  'js_example',
  'position',
  'dialect',
  'faithful',
] as const satisfies (keyof CustomProviderDetails)[]

/** What a body says over what was there; `null` takes away. */
function detailsOf(value: CustomProviderChange, before: CustomProviderDetails): CustomProviderDetails {
  const details: Record<string, unknown> = { ...before }
  for (const name of DETAILS) {
    const said = value[name]
    if (said === null) delete details[name]
    else if (said !== undefined) details[name] = said
  }
  return details
}

/** @throws GatewayFault 400/1002: what is asked for must be an address, without a password that would be shown with it */
function demandAddress(text: string): void {
  const address = URL.parse(text)
  const sound = address && /^https?:$/.test(address.protocol) && !address.username && !address.password
  if (!sound || address.search || address.hash)
    throw new GatewayFault({
      status: 400,
      number: BAD_ADDRESS,
      code: 'invalid_base_url',
      message: 'base_url: expected an address that begins with https:// or http://, without user, query and fragment',
    })
}

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a header cannot carry
const HEADER_VALUE = /^[^\x00-\x08\x0a-\x1f\x7f]*$/

/** @returns the same headers @throws GatewayFault 400/7001 for what is no object of them */
function headersIn(text: string): string {
  let said: unknown
  try {
    said = JSON.parse(text)
  } catch {
    throw wrong('headers', 'expected the text of a JSON object')
  }
  if (typeof said !== 'object' || said === null || Array.isArray(said))
    throw wrong('headers', 'expected the text of a JSON object')
  for (const [name, value] of Object.entries(said)) {
    if (!HEADER_NAME.test(name)) throw wrong('headers', 'expected names of headers as its keys')
    if (typeof value !== 'string' || !HEADER_VALUE.test(value))
      throw wrong('headers', 'expected a string on one line for every header')
  }
  return JSON.stringify(said)
}

const wrong = (path: string, why: string) => invalid('body', { path, message: `${path}: ${why}` })

const unknown = () =>
  new GatewayFault({
    status: 404,
    number: UNKNOWN,
    code: 'not_found',
    type: 'not_found_error',
    message: 'there is no such custom provider',
  })

const HIDDEN = '***'

/** With the names of its headers alone. */
const masked = (headers: Readonly<Record<string, string>>): string =>
  JSON.stringify(Object.fromEntries(Object.keys(headers).map(name => [name, HIDDEN])))

function shownOf(
  { caller }: Manager,
  { details, headers, created, modified, ...provider }: ManagedProvider,
): CustomProvider {
  const open = caller.permissions.has('edit')
  return {
    ...provider,
    ...details,
    ...(headers !== undefined && { headers: open ? headers : masked(JSON.parse(headers)) }),
    created_at: new Date(created).toISOString(),
    modified_at: new Date(modified).toISOString(),
  }
}

function declaredOf({ settings: { config } }: Manager, slug: string, said: CustomProviderSettings): CustomProvider {
  const { base_url, dialect, faithful, headers } = said
  const at = new Date(config.declared?.modified ?? performance.timeOrigin).toISOString()
  return {
    id: `file:${slug}`,
    name: slug,
    slug,
    base_url: withoutPassword(base_url),
    enable: true,
    ...(dialect && { dialect }),
    ...(faithful !== undefined && { faithful }),
    ...(headers && { headers: masked(headers) }),
    created_at: at,
    modified_at: at,
    declared: true,
  }
}

/** The file may name a server with a password, which is nothing to those who only hold a token. */
const withoutPassword = (address: string) => address.replace(/^(https?:\/\/)[^/@]*@/, `$1${HIDDEN}@`)

type Order = (one: CustomProvider, other: CustomProvider) => number

/** By position, then by name, unless another order is asked for (`created_at DESC`). */
function byOrder(order: string | undefined): Order {
  if (order === undefined) return byPosition
  const [member, direction = ''] = order.split(' ') as [keyof CustomProvider, string?]
  const sign = direction.toLowerCase() === 'desc' ? -1 : 1
  return (one, other) => sign * compare(one[member], other[member]) || byPosition(one, other)
}

const LAST = Number.POSITIVE_INFINITY
const byPosition: Order = (one, other) =>
  compare(one.position ?? LAST, other.position ?? LAST) || compare(one.name, other.name)

const compare = (one: unknown = LAST, other: unknown = LAST): number =>
  (one as string) < (other as string) ? -1 : (one as string) > (other as string) ? 1 : 0
