import { type Static, Type } from '@sinclair/typebox'
import { open, optional } from '../open.ts'
import { enveloped, envelopedPage } from './envelope.ts'

/** The stored keys of providers (contract 11.7). */

const alias = Type.String({ description: '1 to 64 letters, digits, ".", "_" and "-".', examples: ['default'] })
const slug = Type.String({ description: 'The provider.', examples: ['openai'] })
const isDefault = Type.Boolean({ description: 'Whether it serves callers who name no alias; takes over from another.' })
const limits = {
  rate_limit: optional(
    Type.Integer({ minimum: 1, description: 'Requests that the key is good for in a period; no limit without.' }),
  ),
  rate_limit_period: optional(Type.Integer({ minimum: 1, description: 'Seconds; 60 without.' })),
}
const secret = Type.String({
  minLength: 1,
  description: 'The key itself; for Bedrock and Vertex the JSON text of their credentials. It is never shown again.',
  writeOnly: true,
})
const secretId = Type.String({ description: 'There is no secrets store: only the id of the key itself has a meaning.' })

export const ProviderConfig = open(
  {
    id: Type.String(),
    gateway_id: Type.String(),
    provider_slug: slug,
    alias,
    default_config: isDefault,
    secret_id: Type.String({ description: 'The same as `id`.' }),
    secret_preview: Type.String({ description: 'The end of the key; empty where it is not told.' }),
    rate_limit: Type.Optional(Type.Integer()),
    rate_limit_period: Type.Optional(Type.Integer({ description: 'Seconds.' })),
    modified_at: Type.String({ format: 'date-time' }),
    declared: Type.Optional(
      Type.Boolean({ description: 'The configuration has it: it serves every gateway, and is changed there alone.' }),
    ),
    shared: Type.Optional(Type.Boolean({ description: 'It is one for all gateways: `postern key` alone changes it.' })),
  },
  { $id: 'ProviderConfig', description: 'A key of a provider, without the key.' },
)

export const NewProviderConfig = open(
  {
    provider_slug: slug,
    alias,
    default_config: isDefault,
    secret: Type.Optional(secret),
    secret_id: Type.Optional(secretId),
    ...limits,
  },
  { $id: 'NewProviderConfig', description: 'A key to be stored; in the place of one, without `secret` it stays.' },
)

export const ProviderConfigChange = open(
  {
    provider_slug: Type.Optional(slug),
    alias: Type.Optional(alias),
    default_config: Type.Optional(isDefault),
    secret: Type.Optional(secret),
    secret_id: Type.Optional(secretId),
    ...limits,
  },
  { $id: 'ProviderConfigChange', description: 'What is to be different. `null` takes a limit away.' },
)

export const ProviderConfigAnswer = enveloped('ProviderConfigAnswer', ProviderConfig)
export const ProviderConfigPage = envelopedPage('ProviderConfigPage', ProviderConfig)

export type ProviderConfig = Static<typeof ProviderConfig>
export type NewProviderConfig = Static<typeof NewProviderConfig>
export type ProviderConfigChange = Static<typeof ProviderConfigChange>
