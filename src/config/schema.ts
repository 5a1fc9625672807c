import { type Static, Type } from '@sinclair/typebox'
import { choice, GatewaySettings, settings } from '../schemas/gateway.ts'
import { type LogpushTarget, LogpushTargets } from '../telemetry/logpush/settings.ts'
import type { Declared } from './declared.ts'

/**
 * What `postern.yaml` may say. Every key is optional; what is left out has the default named here. The keyword
 * `expected` is ours: the words that a fault uses where the rule is a pattern; `postern schema` leaves it out.
 */

const optional = Type.Optional
const text = (description: string, ...examples: string[]) =>
  Type.String({ minLength: 1, description, ...(examples.length ? { examples } : {}) })
const address = (description: string, ...examples: string[]) =>
  Type.String({
    pattern: '^https?://[^/\\s]',
    expected: 'an address that begins with http:// or https://',
    description,
    examples,
  })

/** Provider keys by alias; `default` is used where the caller names none. */
const Keys = Type.Record(Type.String(), Type.String(), {
  description:
    'Keys by alias; `default` serves callers who name none. An empty key counts as absent. Bedrock and Vertex take the JSON text of their credentials.',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference of the file, not of this source
  examples: [{ default: '${OPENAI_API_KEY}' }],
})
const Headers = Type.Record(
  Type.String({ pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$" }),
  Type.String({ pattern: '^[^\\x00-\\x08\\x0a-\\x1f\\x7f]*$', expected: 'a header value on one line' }),
  {
    additionalProperties: false,
    expected: 'a header name',
    description: 'Headers added to every request to this provider.',
    examples: [{ 'x-team': 'research' }],
  },
)

export const permissionNames = ['run', 'read', 'edit'] as const
const Permission = choice(permissionNames)

export const Server = settings(
  {
    host: Type.String({
      minLength: 1,
      default: '127.0.0.1',
      description: 'Address to listen on; 0.0.0.0 for every interface.',
    }),
    port: Type.Integer({
      minimum: 0,
      maximum: 65_535,
      default: 8787,
      description: 'Port to listen on; 0 takes any that is free.',
    }),
    workers: Type.Integer({ minimum: 1, maximum: 256, default: 1, description: 'Processes that share the port.' }),
    public_url: address('The address that clients use, where it differs from host and port.', 'https://ai.example.com'),
    domains: Type.Record(
      Type.String({ pattern: '^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$' }),
      Type.String({ minLength: 1, description: 'The id of a gateway.' }),
      {
        additionalProperties: false,
        expected: 'a host name in lower case, without a port',
        description:
          'Host names of gateways: there, addresses begin with the provider, without /v1/{account}/{gateway}.',
        examples: [{ 'ai.example.com': 'default' }],
      },
    ),
    drain: Type.Number({
      minimum: 0,
      maximum: 3_600,
      default: 30,
      description: 'Seconds that streams in flight may go on after SIGTERM.',
    }),
    first_byte_timeout: Type.Number({
      minimum: 0,
      default: 600,
      description: 'Seconds that a provider may take for its status line; 0: as long as it likes.',
    }),
    resume_grace: Type.Number({
      minimum: 0,
      maximum: 300,
      default: 10,
      description:
        'Seconds that a stream of /ai/run goes on without its client, which may come back for the rest; 0: not at all.',
    }),
    max_body: Type.Integer({ minimum: 1_024, default: 104_857_600, description: 'Largest request body in bytes.' }),
    metrics: choice(['token', 'open'], {
      default: 'token',
      description:
        'Who may read /metrics: holders of a token with the permission `read` for all gateways, or anybody who reaches the port.',
    }),
  },
  { description: 'Where Postern listens.' },
)

export const Storage = settings(
  {
    database: Type.String({
      pattern: '^(sqlite:.|postgres(ql)?://.)',
      expected: 'sqlite:<path> or postgres://user:password@host/database',
      default: 'sqlite:./postern.db',
      description:
        '`sqlite:<path>`; `sqlite::memory:` keeps nothing; `postgres://user:password@host/database` is shared between replicas, with `?sslmode=verify-full` and the like.',
    }),
    redis: text('Shares cache, limits and budgets between replicas.', 'redis://127.0.0.1:6379'),
    on_shared_store_failure: choice(['allow', 'deny'], {
      default: 'deny',
      description: 'What becomes of limited requests while they cannot be counted.',
    }),
    log_retention_days: Type.Number({
      minimum: 0,
      default: 30,
      description: 'Days that records are kept; 0: until there are too many of them.',
    }),
    log_metadata_keys: Type.Array(Type.String({ minLength: 1 }), {
      maxItems: 20,
      default: [],
      description: 'Keys of metadata by whose values requests are counted by the hour, too.',
      examples: [['team']],
    }),
    cache_memory: Type.Integer({
      minimum: 0,
      default: 67_108_864,
      description: 'Bytes of answers that each process keeps in memory.',
    }),
    cache_size: Type.Integer({
      minimum: 0,
      default: 1_073_741_824,
      description: 'Bytes of answers that the database keeps; beyond it those unused for longest go.',
    }),
    encryption_key: text(
      'Encrypts the provider keys that are stored; POSTERN_ENCRYPTION_KEY where it is left out, and without either a file beside the database, `<path>.key`. PostgreSQL needs one of the two.',
    ),
    spool: text(
      'The folder where records wait for the receivers of `logpush`, one for each machine; `<path>.spool` beside the database where it is left out, and ./postern-spool without a file of one.',
      '/var/lib/postern/spool',
    ),
  },
  { description: 'What is kept, and where.' },
)

export const Token = Type.Object(
  {
    name: text('Shown in logs and records.', 'laptop'),
    token: Type.String({
      pattern: '^[\\x21-\\x7e]+$',
      expected: 'characters that a header can carry, without spaces',
      description: 'The secret that the client sends.',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference of the file, not of this source
      examples: ['${LAPTOP_TOKEN}'],
    }),
    permissions: optional(
      Type.Array(Permission, {
        default: ['run'],
        description: 'run: call models; read: see records; edit: change settings.',
      }),
    ),
    gateways: optional(
      Type.Array(Type.String({ minLength: 1 }), { description: 'The gateways that it opens; all when left out.' }),
    ),
    rate_limit: optional(
      Type.Integer({ minimum: 1, description: 'Requests that it is good for in a period.', examples: [60] }),
    ),
    token_limit: optional(
      Type.Integer({
        minimum: 1,
        description: 'Tokens, in and out, that it is good for in a period.',
        examples: [100_000],
      }),
    ),
    rate_limit_period: optional(Type.Integer({ minimum: 1, default: 60, description: 'Seconds.' })),
    budget: optional(
      Type.Number({
        minimum: 0,
        maximum: 9_000,
        description: 'USD that it may spend in a budget_period.',
        examples: [5],
      }),
    ),
    budget_period: optional(
      choice(['hourly', 'daily', 'weekly', 'monthly'], {
        default: 'monthly',
        description: 'By the calendar, in UTC; weeks begin on Monday.',
      }),
    ),
    groups: optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
        maxItems: 100,
        description: 'cf.user.groups of policies.',
        examples: [['research']],
      }),
    ),
    claims: optional(
      Type.Record(
        Type.String(),
        Type.Union([
          Type.String(),
          Type.Number(),
          Type.Boolean(),
          Type.Array(Type.String(), { maxItems: 100, description: 'One of several texts.' }),
        ]),
        { description: 'cf.custom.<claim> of policies.', examples: [{ department: 'finance' }] },
      ),
    ),
  },
  { additionalProperties: false, description: 'A token of a client.' },
)

/** Fills of the placeholders in a provider's base address, and other things that only some providers ask for. */
const places = {
  resource: text('Azure OpenAI: the resource name.'),
  deployment: text('Azure OpenAI: the deployment, where it is not the model’s name.'),
  api_version: text('Azure OpenAI: `api-version`; left out with a base address that ends in /openai/v1.'),
  region: text('Bedrock and Vertex: the region.', 'eu-central-1'),
  project: text('Vertex: the project, where the service account does not name it.'),
  account: text('Workers AI: the Cloudflare account id.'),
}

const Strategy = choice(['round-robin', 'least-busy', 'fastest'], {
  description:
    'How requests that name no alias are spread over the keys, or over `pool`; what fails is left alone for a while.',
})

/** One of several deployments of a provider. */
const Pool = Type.Array(
  settings({
    key: text('The alias of the key that is used there; `default` where it is left out.'),
    base_url: address('Its base, where it differs.', 'https://eu.example.com/v1'),
    ...places,
  }),
  { minItems: 1, maxItems: 100, description: 'Deployments that requests are spread over by `strategy`.' },
)

export const Provider = settings(
  {
    base_url: address(
      'Upstream base; may hold {resource}, {deployment}, {region}, {account}, {model}.',
      'https://api.openai.com/v1',
    ),
    keys: Keys,
    headers: Headers,
    ...places,
    strategy: Strategy,
    pool: Pool,
  },
  { description: 'A built-in provider.' },
)

export const dialectNames = [
  'openai-chat',
  'anthropic-messages',
  'gemini',
  'bedrock-converse',
  'cohere-chat',
  'ollama-chat',
  'workers-ai',
] as const

export const CustomProvider = Type.Object(
  {
    base_url: address('Upstream base; plain http is fine.', 'http://192.168.1.20:11434'),
    dialect: optional(choice(dialectNames, { default: 'openai-chat', description: 'The wire format that it speaks.' })),
    faithful: optional(
      Type.Boolean({
        default: false,
        description: 'It keeps to OpenAI’s format exactly: its bytes pass unchanged.',
      }),
    ),
    keys: optional(Keys),
    headers: optional(Headers),
    region: optional(places.region),
    strategy: optional(Strategy),
    pool: optional(Pool),
  },
  { additionalProperties: false, description: 'A provider of your own.' },
)

const dollars = (description: string) => Type.Number({ minimum: 0, maximum: 9_000, description })
const factor = (description: string) =>
  Type.Number({ minimum: 0, maximum: 100, description: `${description}, as a part of the usual price of its tokens.` })

const tokenPrices = {
  input: dollars('Input tokens.'),
  output: dollars('Output tokens.'),
  cache_read: dollars('Input tokens read from the provider’s cache; otherwise as `input`.'),
  cache_write: dollars('Input tokens written to the provider’s cache; otherwise as `input`.'),
  cache_write_1h: dollars('Input tokens written to the provider’s cache for an hour; otherwise as `cache_write`.'),
}

const LongContextPrice = Type.Object(
  {
    above: Type.Integer({ minimum: 1, description: 'Tokens of the prompt, those from a cache included.' }),
    ...Type.Partial(Type.Object(tokenPrices)).properties,
  },
  { additionalProperties: false },
)

export const Price = settings(
  {
    ...tokenPrices,
    reasoning: dollars('Output tokens of reasoning; otherwise as `output`.'),
    audio_input: dollars('Input tokens of sound; otherwise as `input`.'),
    audio_cache_read: dollars('Those read from the provider’s cache; otherwise as `cache_read`.'),
    audio_output: dollars('Output tokens of sound; otherwise as `output`.'),
    image_input: dollars('Input tokens of images; otherwise as `input`.'),
    image_cache_read: dollars('Those read from the provider’s cache; otherwise as `cache_read`.'),
    image_output: dollars('Output tokens of images; otherwise as `output`.'),
    video_input: dollars('Input tokens of video; otherwise as `input`.'),
    video_output: dollars('Output tokens of video; otherwise as `output`.'),
    characters: dollars('Characters to be spoken, per million.'),
    minute: dollars('A minute of sound, heard or spoken, in USD.'),
    request: dollars('Each request, in USD.'),
    image: dollars('An image made, in USD.'),
    page: dollars('A page read, in USD.'),
    web_search: dollars('A search of the web by the provider, in USD.'),
    file_search: dollars('A search of stored files by the provider, in USD.'),
    rerank_search: dollars('A search of a reranking model, in USD.'),
    batch: factor('A request of a batch'),
    flex: factor('A request of the flexible service tier'),
    priority: factor('A request of the priority service tier'),
    long_context: Type.Array(LongContextPrice, {
      description: 'Prices that hold for the whole request when its prompt is longer.',
      examples: [[{ above: 200_000, input: 6, output: 22.5 }]],
    }),
  },
  {
    description:
      'USD per million tokens, where nothing else is said. With `input` and `output` it stands alone; otherwise its figures replace those of the bundled list.',
    examples: [{ input: 1.5, output: 6 }],
  },
)

/** Charging callers for the house's keys (contract section 2.4). */
export const Billing = settings(
  {
    enabled: Type.Boolean({
      default: false,
      description: 'Whether callers without a key of their own pay for the use of providers.*.keys from credit.',
    }),
    balance: choice(['account', 'token'], {
      default: 'account',
      description: 'Whose credit pays: that of the account, or that of each token.',
    }),
    margin: Type.Number({
      minimum: 0,
      maximum: 10,
      default: 0,
      description: 'What is charged on top of the price list, as a part of it.',
      examples: [0.05],
    }),
    rate_limit: Type.Integer({ minimum: 1, default: 200, description: 'Requests in a period for each gateway.' }),
    rate_limit_period: Type.Integer({ minimum: 1, default: 60, description: 'Seconds.' }),
  },
  { description: 'Credit for the use of the house’s keys; `postern credit add` tops it up.' },
)

/** One account id: it is a step of an address, so it holds nothing that an address would have to escape. */
const Account = Type.String({
  pattern: '^[A-Za-z0-9._~-]+$',
  expected: 'a name of letters, digits, ".", "_", "~" and "-"',
})

export const File = settings({
  server: Server,
  account: Type.Union([Account, Type.Array(Account, { minItems: 1 })], {
    default: 'home',
    description: 'The {account_id} in addresses; a list lets code written for other ids go on working.',
    examples: ['home', ['home', '0123456789abcdef0123456789abcdef']],
  }),
  storage: Storage,
  tokens: Type.Array(Token, { description: 'Tokens of clients.' }),
  providers: Type.Record(Type.String(), Provider, { description: 'Settings of built-in providers by slug.' }),
  custom_providers: Type.Record(Type.String({ pattern: '^[a-z0-9_-]+$' }), CustomProvider, {
    additionalProperties: false,
    expected: 'a name of lower-case letters, digits, "_" and "-"',
    description: 'Providers of your own, reached as custom-<name>/<model>.',
  }),
  gateways: Type.Record(Type.String({ pattern: '^[a-z0-9_-]{1,64}$' }), GatewaySettings, {
    additionalProperties: false,
    expected: 'a name of 1 to 64 lower-case letters, digits, "_" and "-"',
    description: 'Gateways by id; `default` is there without being named.',
  }),
  billing: Billing,
  prices: Type.Record(Type.String(), Price, { description: 'Overrides by <provider>/<model>.' }),
  logpush: LogpushTargets,
  log: settings(
    {
      level: choice(['debug', 'info', 'warn', 'error', 'silent'], {
        default: 'info',
        description: 'The least that is written.',
      }),
      format: choice(['auto', 'json', 'readable'], {
        default: 'auto',
        description: 'auto: readable on a terminal, JSON elsewhere.',
      }),
    },
    { description: 'The log on stdout.' },
  ),
})

export type File = Static<typeof File>
export type Permission = Static<typeof Permission>
export type ProviderSettings = Partial<Static<typeof Provider>>
export type CustomProviderSettings = Partial<Static<typeof CustomProvider>> & { base_url: string }
export type Price = Partial<Static<typeof Price>>

/** The configuration as the rest of the program sees it: complete, references resolved, defaults filled in. */
export interface Config {
  server: {
    host: string
    port: number
    workers: number
    public_url: string
    /** The id of a gateway by host name. */
    domains: Record<string, string>
    drain: number
    first_byte_timeout: number
    max_body: number
    resume_grace: number
    metrics: 'token' | 'open'
  }
  /** At least one; the first is the one shown to people. */
  accounts: string[]
  storage: {
    database: string
    redis?: string
    on_shared_store_failure: 'allow' | 'deny'
    log_retention_days: number
    log_metadata_keys: string[]
    cache_memory: number
    cache_size: number
    encryption_key?: string
    /** The folder where records wait for their receivers. */
    spool: string
  }
  tokens: (Static<typeof Token> & { permissions: Permission[] })[]
  providers: Record<string, ProviderSettings>
  custom_providers: Record<string, CustomProviderSettings>
  gateways: Record<string, GatewaySettings>
  billing: Required<Static<typeof Billing>>
  prices: Record<string, Price>
  logpush: LogpushTarget[]
  log: { level: 'debug' | 'info' | 'warn' | 'error' | 'silent'; format: 'auto' | 'json' | 'readable' }
  /** Where it came from; absent when there is no file. */
  path?: string
  /** Where things stand in it; absent when there is no file. */
  declared?: Declared
}
