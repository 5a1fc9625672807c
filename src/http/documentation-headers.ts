/** Parameters and headers of the documented routes, under the names of Cloudflare AI Gateway (contract section 3). */

export interface Parameter {
  name: string
  in: 'path' | 'header'
  required: boolean
  description: string
  schema: Record<string, unknown>
  example?: unknown
}

export const pathParameter = (name: string, description: string, example: string): Parameter => ({
  name,
  in: 'path',
  required: true,
  description,
  schema: { type: 'string' },
  example,
})

/** Puts a parameter into a component of its own, where another has the same name and says something else. */
export const componentOf = <P extends { name: string }>(prefix: string, parameter: P) => ({
  'x-component': `${prefix}-${parameter.name}`,
  ...parameter,
})

export const account = pathParameter('account', 'The account, `home` unless the configuration names another.', 'home')
export const accountAndGateway = [account, pathParameter('gateway', 'The gateway’s id.', 'default')]

/** Without an example: the page at `/docs` would fill it in and send it with every call that is tried. */
export const headerParameter = (name: string, description: string, schema: Record<string, unknown>): Parameter => ({
  name,
  in: 'header',
  required: false,
  description,
  schema,
})

const text = { type: 'string', maxLength: 256 }
const flag = { type: 'boolean' }

/** What a caller may set for one call (contract 3.1). */
export const callHeaders = [
  headerParameter('cf-aig-skip-cache', 'Neither read from the cache nor write to it. Formerly `cf-skip-cache`.', flag),
  headerParameter(
    'cf-aig-cache-ttl',
    'Seconds that the answer is kept, 60 to 2592000; 0: no cache. Formerly `cf-cache-ttl`.',
    { type: 'integer', minimum: 0, maximum: 2_592_000 },
  ),
  headerParameter('cf-aig-cache-key', 'Takes the place of the key that the gateway makes of the request.', text),
  headerParameter('cf-aig-collect-log', 'Whether the request is recorded.', flag),
  headerParameter('cf-aig-collect-log-payload', 'Whether the record holds request and answer, too.', flag),
  headerParameter(
    'cf-aig-metadata',
    'A JSON object of up to 5 texts, numbers, booleans or nulls that goes on record and decides routes and limits: `{"team":"blue","user":17}`.',
    { type: 'string' },
  ),
  headerParameter(
    'cf-aig-custom-cost',
    'Prices in USD as a JSON object, in place of the price list: `per_token_in`, `per_token_out`, `per_cache_read_token` and `per_cache_write_token`, or `total_cost`.',
    { type: 'string' },
  ),
  headerParameter('cf-aig-event-id', 'The caller’s own id of the event; the answer repeats it.', text),
  headerParameter('cf-aig-request-timeout', 'Milliseconds to the first byte of the answer.', {
    type: 'integer',
    minimum: 1,
    maximum: 2_147_483_647,
  }),
  headerParameter('cf-aig-max-attempts', 'How often a provider is asked.', { type: 'integer', minimum: 1, maximum: 5 }),
  headerParameter('cf-aig-retry-delay', 'Milliseconds before the second attempt.', {
    type: 'integer',
    minimum: 0,
    maximum: 5_000,
  }),
  headerParameter('cf-aig-backoff', 'How the delay grows from attempt to attempt.', {
    type: 'string',
    enum: ['constant', 'linear', 'exponential'],
  }),
  headerParameter('cf-aig-byok-alias', 'Which of the provider’s stored keys is used; `default` when left out.', text),
  headerParameter('cf-aig-no-wholesale', 'Do without the operator’s own keys: with `true`, bring or store one.', flag),
  headerParameter('cf-aig-zdr', 'Ask providers that offer it to keep nothing.', flag),
  headerParameter('cf-aig-otel-trace-id', 'The trace that the request belongs to.', {
    type: 'string',
    pattern: '^[0-9a-fA-F]{32}$',
  }),
  headerParameter('cf-aig-otel-parent-span-id', 'The span within that trace.', {
    type: 'string',
    pattern: '^[0-9a-fA-F]{16}$',
  }),
  headerParameter('cf-aig-session-id', 'Requests of one session are routed alike.', text),
  headerParameter('cf-aig-turn-id', 'Requests of one turn are routed alike.', text),
  headerParameter('cf-aig-no-session-affinity', 'Do not route by session.', flag),
  headerParameter(
    'cf-aig-allowed-models',
    'The models that a route may choose, separated by commas; `*` stands for anything but a slash.',
    { type: 'string' },
  ),
  headerParameter('cf-aig-allowed-providers', 'The providers that a route may choose, separated by commas.', {
    type: 'string',
  }),
]

/** Where the address does not say it. */
export const gatewayHeader = headerParameter('cf-aig-gateway-id', 'The gateway; `default` when left out.', {
  type: 'string',
  minLength: 1,
  maxLength: 64,
})

export interface Header {
  description: string
  schema: Record<string, unknown>
}

const told = (description: string, schema: Record<string, unknown> = { type: 'string' }): Header => ({
  description,
  schema,
})

/** What an answer tells beside its body (contract 3.2). */
export const replyHeaders: Record<string, Header> = {
  'cf-aig-cache-status': told('Whether the answer comes from the cache.', { type: 'string', enum: ['HIT', 'MISS'] }),
  'cf-aig-log-id': told('The id of the record, where there is one.'),
  'cf-aig-event-id': told('The id that the caller gave, or one of the gateway’s.'),
  'cf-aig-request-id': told('The id of the request, a UUID of version 7.'),
  'cf-aig-model': told('The model that a route chose.'),
  'cf-aig-provider': told('The provider that a route chose.'),
  'cf-aig-dlp': told('What data loss prevention found, as JSON.'),
  'postern-dropped': told('What was said and has no effect: members of the body, headers, entries of the metadata.'),
}

/** Where steps are run. */
export const stepHeader = {
  'cf-aig-step': told('Which step answered, counted from 0.', { type: 'integer', minimum: 0 }),
}

/** Where a stream can be taken up again. */
export const runHeader = { 'cf-aig-run-id': told('The id under which a stream can be taken up again.') }

export const retryAfter = { 'retry-after': told('Seconds to wait.', { type: 'integer', minimum: 0 }) }
