/** Parameters and headers of the documented routes, under the names of Cloudflare AI Gateway (contract section 3). */

const path = (name: string, description: string, example: string) => ({
  name,
  in: 'path',
  required: true,
  description,
  schema: { type: 'string' },
  example,
})

export const accountAndGateway = [
  path('account', 'The account, `home` unless the configuration names another.', 'home'),
  path('gateway', 'The gateway’s id.', 'default'),
]

const header = (name: string, description: string, schema: Record<string, unknown>) => ({
  name,
  in: 'header',
  required: false,
  description,
  schema,
})
/** What a caller may set for one call. */
export const callHeaders = [
  header('cf-aig-request-timeout', 'Milliseconds to the first byte of the answer.', { type: 'integer', minimum: 1 }),
]

const told = (description: string, schema: Record<string, unknown>) => ({ description, schema })

/** What an answer tells beside its body. */
export const replyHeaders = {
  'postern-dropped': told('Members of the request that the provider has no word for and that were left out.', {
    type: 'string',
  }),
}

export const retryAfter = { 'retry-after': told('Seconds to wait.', { type: 'integer', minimum: 0 }) }
