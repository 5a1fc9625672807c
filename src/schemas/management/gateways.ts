import { type Static, type TObject, Type } from '@sinclair/typebox'
import { GatewaySettings } from '../gateway.ts'
import { open } from '../open.ts'
import { enveloped, envelopedPage, Paging } from './envelope.ts'

/** Gateways (contract 11.2): the settings of the file, but for what has calls of its own. */

const { policies: _, routes: __, ...settings } = GatewaySettings.properties

/** What Cloudflare demands of every body. */
const REQUIRED = [
  'cache_invalidate_on_update',
  'cache_ttl',
  'collect_logs',
  'rate_limiting_interval',
  'rate_limiting_limit',
] as const
const required = Type.Required(Type.Pick(GatewaySettings, REQUIRED)).properties
const members = { ...settings, ...required }

const GatewayId = Type.String({
  pattern: '^[a-z0-9_-]{1,64}$',
  expected: '1 to 64 lower-case letters, digits, "_" and "-"',
  description: 'Its name in addresses.',
  examples: ['lab'],
})

export const NewGateway = open({ id: GatewayId, ...members }, { $id: 'NewGateway' })
export const GatewayReplacement = open(members, {
  $id: 'GatewayReplacement',
  description: 'All of the settings: what is left out goes back to its default.',
})

export const ManagedGateway = open(
  {
    id: GatewayId,
    ...members,
    is_default: Type.Boolean(),
    created_at: Type.String({ format: 'date-time' }),
    modified_at: Type.String({ format: 'date-time' }),
    declared: Type.Optional(
      Type.Boolean({ description: 'The configuration has it: it is changed there alone, and tells no credentials.' }),
    ),
  },
  { $id: 'Gateway', description: 'A gateway. Credentials are shown to those who may change them.' },
)

export const GatewaysQuery = open({
  search: Type.Optional(Type.String({ maxLength: 64, description: 'A part of the id.' })),
  ...Paging.properties,
})

export const PurgeCache = open(
  {
    key: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 256,
        description: 'The `cf-aig-cache-key` of one answer; all of them without.',
      }),
    ),
  },
  { $id: 'PurgeCache' },
)
export const Purged = open({ purged: Type.Integer({ description: 'How many answers are gone.' }) }, { $id: 'Purged' })

export const GatewayAnswer = enveloped('GatewayAnswer', ManagedGateway)
export const GatewayPage = envelopedPage('GatewayPage', ManagedGateway)
export const PurgedAnswer = enveloped('PurgedAnswer', Purged)

/** The names of the settings that a body may hold. */
export const settingNames = Object.keys((Type.Object(members) as TObject).properties) as (keyof GatewaySettings)[]

export type PurgeCache = Static<typeof PurgeCache>
export type NewGateway = Static<typeof NewGateway>
export type GatewayReplacement = Static<typeof GatewayReplacement>
export type ManagedGateway = Static<typeof ManagedGateway>
