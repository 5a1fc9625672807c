import { type Static, Type } from '@sinclair/typebox'
import { nullable, open, optional, word } from '../open.ts'
import { enveloped, envelopedPage, Paging } from './envelope.ts'

/** Tokens of clients, under the calls of Cloudflare's account-owned API tokens. */

const Name = Type.String({
  minLength: 1,
  maxLength: 128,
  description: 'Shown in logs and records.',
  examples: ['laptop'],
})
const Time = Type.String({ format: 'date-time', examples: ['2027-01-01T00:00:00Z'] })
/** Read by ourselves, so that a wrong one is told as such. */
const SentTime = Type.String({
  maxLength: 64,
  description: 'A time as RFC 3339 has it.',
  examples: ['2027-01-01T00:00:00Z'],
})
const Permissions = Type.Array(word(['run', 'read', 'edit']), {
  minItems: 1,
  maxItems: 3,
  description: 'run: call models; read: see settings and records; edit: change them. In the place of `policies`.',
  examples: [['run']],
})
const Gateways = Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
  minItems: 1,
  maxItems: 1_000,
  description: 'The gateways that it opens; all when left out.',
})
const Period = word(['hourly', 'daily', 'weekly', 'monthly'], { description: 'By the calendar, in UTC.' })

const Group = open({
  id: Type.String({
    maxLength: 128,
    description: 'As the list of permission groups has it; `run`, `read` or `edit` will do.',
  }),
  name: Type.Optional(Type.String({ maxLength: 128 })),
})
const Resources = Type.Record(Type.String(), Type.Union([Type.String(), Type.Record(Type.String(), Type.String())]), {
  description:
    '`com.cloudflare.api.account.<account>` with `*` for all gateways, or with an object that has `com.postern.gateway.<id>` with `*` for each that it opens.',
  examples: [{ 'com.cloudflare.api.account.home': '*' }],
})
const Policy = open(
  {
    effect: word(['allow', 'deny'], { description: 'Only `allow`: what is not allowed is denied.' }),
    permission_groups: Type.Array(Group, { maxItems: 100 }),
    resources: Resources,
  },
  { $id: 'NewTokenPolicy' },
)

const limits = {
  rate_limit: optional(Type.Integer({ minimum: 1, description: 'Requests that it is good for in a period.' })),
  token_limit: optional(
    Type.Integer({ minimum: 1, description: 'Tokens, in and out, that it is good for in a period.' }),
  ),
  rate_limit_period: optional(Type.Integer({ minimum: 1, description: 'Seconds; 60 without.' })),
  budget: optional(
    Type.Number({ minimum: 0, maximum: 9_000, description: 'USD that it may spend in a budget_period.' }),
  ),
  budget_period: optional(Period),
  groups: optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
      maxItems: 100,
      description: 'For policies: `cf.user.groups`.',
    }),
  ),
  claims: optional(
    Type.Record(
      Type.String(),
      Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Array(Type.String(), { maxItems: 100 })]),
      { description: 'For policies: `cf.custom.<claim>`.' },
    ),
  ),
}

const written = {
  name: Name,
  policies: optional(
    Type.Array(Policy, { maxItems: 100, description: 'Permissions and gateways in Cloudflare’s words.' }),
  ),
  permissions: optional(Permissions),
  gateways: optional(Gateways),
  expires_on: optional(SentTime),
  not_before: optional(SentTime),
  condition: optional(open({}, { description: 'Not offered here: the addresses of clients are not looked at.' })),
  ...limits,
}

export const NewToken = open(written, { $id: 'NewToken' })
export const TokenReplacement = open(
  { ...written, status: optional(word(['active', 'disabled', 'expired'])) },
  { $id: 'TokenReplacement', description: 'All that is said of a token: what is left out ends. Its value stays.' },
)

const tokenMembers = {
  id: Type.String(),
  name: Type.String(),
  status: word(['active', 'disabled', 'expired']),
  issued_on: Type.String({ format: 'date-time' }),
  modified_on: Type.String({ format: 'date-time' }),
  expires_on: Type.Optional(Time),
  not_before: Type.Optional(Time),
  policies: Type.Array(
    open({
      id: Type.String(),
      effect: Type.Literal('allow'),
      permission_groups: Type.Array(open({ id: Type.String(), name: Type.String() })),
      resources: Resources,
    }),
  ),
  permissions: Type.Array(word(['run', 'read', 'edit'])),
  gateways: Type.Optional(Type.Array(Type.String(), { description: 'All when left out.' })),
  rate_limit: Type.Optional(Type.Integer()),
  token_limit: Type.Optional(Type.Integer()),
  rate_limit_period: Type.Optional(Type.Integer({ description: 'Seconds.' })),
  budget: Type.Optional(Type.Number({ description: 'USD.' })),
  budget_period: Type.Optional(Period),
  groups: Type.Optional(Type.Array(Type.String())),
  claims: Type.Optional(
    Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Array(Type.String())])),
  ),
  declared: Type.Optional(Type.Boolean({ description: 'The configuration has it: it is changed there alone.' })),
}

export const ManagedToken = open(tokenMembers, { $id: 'Token', description: 'A token, without its value.' })
export const MadeToken = open(
  { ...tokenMembers, value: Type.String({ description: 'What the client sends. It is shown only this once.' }) },
  { $id: 'MadeToken' },
)

export const TokensQuery = open({
  direction: Type.Optional(word(['asc', 'desc'], { description: 'By age: asc, the oldest first, when left out.' })),
  include_expired: Type.Optional(nullable(Type.Boolean({ description: 'Whether those past their time are shown.' }))),
  ...Paging.properties,
})

const PermissionGroup = open(
  {
    id: Type.String(),
    name: Type.String(),
    category: Type.String(),
    is_selectable: Type.Boolean(),
    scopes: Type.Array(Type.String()),
  },
  { $id: 'PermissionGroup' },
)
export const PermissionGroupsQuery = open({
  name: Type.Optional(Type.String({ maxLength: 128, description: 'Only the one of this name.' })),
  scope: Type.Optional(Type.String({ maxLength: 128, description: 'Only those of this scope.' })),
})

const VerifiedToken = open(
  {
    id: Type.String(),
    status: Type.Literal('active'),
    expires_on: Type.Optional(Time),
    not_before: Type.Optional(Time),
  },
  { $id: 'VerifiedToken' },
)

export const TokenAnswer = enveloped('TokenAnswer', ManagedToken)
export const MadeTokenAnswer = enveloped('MadeTokenAnswer', MadeToken)
export const TokenPage = envelopedPage('TokenPage', ManagedToken)
export const TokenValueAnswer = enveloped(
  'TokenValueAnswer',
  Type.String({ description: 'The new value, shown only this once.' }),
)
export const RemovedTokenAnswer = enveloped('RemovedTokenAnswer', open({ id: Type.String() }))
export const VerifiedTokenAnswer = enveloped('VerifiedTokenAnswer', VerifiedToken)
export const PermissionGroupsAnswer = enveloped('PermissionGroupsAnswer', Type.Array(PermissionGroup))

export type NewToken = Static<typeof NewToken>
export type TokenReplacement = Static<typeof TokenReplacement>
export type ManagedToken = Static<typeof ManagedToken>
