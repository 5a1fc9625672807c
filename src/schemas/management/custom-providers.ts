import { type Static, Type } from '@sinclair/typebox'
import { nullable, open, optional, word } from '../open.ts'
import { enveloped, envelopedPage } from './envelope.ts'

/** Custom providers (contract 11.9). */

const Slug = Type.String({
  pattern: '^[a-z0-9_-]{1,64}$',
  expected: '1 to 64 lower-case letters, digits, "_" and "-"',
  description: 'Its models are called custom-<slug>/<model>.',
  examples: ['workstation'],
})
const Name = Type.String({ minLength: 1, maxLength: 256, description: 'For people.', examples: ['The workstation'] })
const BaseUrl = Type.String({
  maxLength: 2_048,
  description: 'Upstream base, beginning with https:// or http://.',
  examples: ['http://192.168.1.20:11434'],
})
const text = (description: string) => Type.String({ maxLength: 10_000, description })

const about = {
  enable: optional(Type.Boolean({ default: false, description: 'One that is not counts as unknown.' })),
  beta: optional(Type.Boolean()),
  description: optional(text('For people.')),
  headers: optional(
    text('Headers added to every request to it, as the text of a JSON object. They are kept encrypted.'),
  ),
  link: optional(text('A page about it.')),
  logo: optional(text('The address of a picture.')),
  curl_example: optional(text('For people.')),
  js_example: optional(text('For people.')),
  position: optional(Type.Integer({ minimum: 0, maximum: 1_000_000, description: 'Its place in lists.' })),
  dialect: optional(
    word(
      ['openai-chat', 'anthropic-messages', 'gemini', 'bedrock-converse', 'cohere-chat', 'ollama-chat', 'workers-ai'],
      { description: 'The wire format that it speaks; openai-chat when left out. Not of Cloudflare’s.' },
    ),
  ),
  faithful: optional(
    Type.Boolean({
      description: 'It keeps to OpenAI’s format exactly: its bytes pass unchanged. Not of Cloudflare’s.',
    }),
  ),
}

export const NewCustomProvider = open(
  { name: Name, slug: Slug, base_url: BaseUrl, ...about },
  { $id: 'NewCustomProvider' },
)
export const CustomProviderChange = open(
  { name: Type.Optional(Name), slug: Type.Optional(Slug), base_url: Type.Optional(BaseUrl), ...about },
  { $id: 'CustomProviderChange', description: 'What is to be different. `null` takes a member away.' },
)

export const CustomProvider = open(
  {
    id: Type.String(),
    name: Type.String(),
    slug: Type.String(),
    base_url: Type.String(),
    enable: Type.Boolean(),
    beta: Type.Optional(Type.Boolean()),
    description: Type.Optional(Type.String()),
    headers: Type.Optional(
      Type.String({ description: 'The text of a JSON object; its values are shown to those who may change them.' }),
    ),
    link: Type.Optional(Type.String()),
    logo: Type.Optional(Type.String()),
    curl_example: Type.Optional(Type.String()),
    js_example: Type.Optional(Type.String()),
    position: Type.Optional(Type.Integer()),
    dialect: Type.Optional(Type.String()),
    faithful: Type.Optional(Type.Boolean()),
    created_at: Type.String({ format: 'date-time' }),
    modified_at: Type.String({ format: 'date-time' }),
    declared: Type.Optional(Type.Boolean({ description: 'The configuration has it: it is changed there alone.' })),
  },
  { $id: 'CustomProvider' },
)

export const CustomProvidersQuery = open({
  enable: Type.Optional(nullable(Type.Boolean({ description: 'Only those that are enabled, or that are not.' }))),
  beta: Type.Optional(nullable(Type.Boolean({ description: 'Only those in beta, or that are not.' }))),
  search: Type.Optional(Type.String({ maxLength: 256, description: 'A part of the id, the name or the slug.' })),
  order_by: Type.Optional(
    Type.String({
      pattern: '^(?:name|slug|position|created_at|modified_at)(?: (?:ASC|DESC|asc|desc))?$',
      expected: 'name, slug, position, created_at or modified_at, with ASC or DESC behind it',
      description: 'Otherwise by position and name.',
      examples: ['name ASC'],
    }),
  ),
  page: Type.Optional(Type.Integer({ minimum: 1, default: 1, description: 'Counted from 1.' })),
  per_page: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 20, description: 'How many a page has.' })),
})

export const CustomProviderAnswer = enveloped('CustomProviderAnswer', CustomProvider)
export const CustomProviderPage = envelopedPage('CustomProviderPage', CustomProvider)

export type NewCustomProvider = Static<typeof NewCustomProvider>
export type CustomProviderChange = Static<typeof CustomProviderChange>
export type CustomProvider = Static<typeof CustomProvider>
