import { Type } from '@sinclair/typebox'
import { builtIn } from '../providers/index.ts'
import type { Provider } from '../providers/provider.ts'
import { GatewayError } from '../schemas/errors.ts'
import { ProviderAnswer, ProviderError } from '../schemas/passed.ts'
import { envelope, named, type Response } from './documentation-errors.ts'
import {
  accountAndGateway,
  callHeaders,
  headerParameter,
  pathParameter,
  replyHeaders,
  retryAfter,
} from './documentation-headers.ts'
import { type Operation, route } from './documentation-operation.ts'

/** The provider-native addresses of the document: any provider, any path (contract 1.1, row 1). */

const code = (text: string) => `\`${text}\``
const list = (words: readonly string[]) => words.map(code).join(', ')

/** Where clients of a provider put its key, and with it our token. */
const keyPlaces = ({ keyIn, keyQuery }: Provider) => [...keyIn, ...(keyQuery === undefined ? [] : [`?${keyQuery}=`])]

const chatPath = ({ endpoint }: Provider) => (typeof endpoint === 'object' ? code(endpoint.path) : '')

const providerTable = [
  '| `provider` | Name | Also | Base address | Chat at `path` | Key or token in |',
  '|---|---|---|---|---|---|',
  ...builtIn.map(each => {
    const { slug, title, aliases, base } = each
    return `| ${code(slug)} | ${title} | ${list(aliases)} | ${code(base)} | ${chatPath(each)} | ${list(keyPlaces(each))} |`
  }),
].join('\n')

/** The same places as security schemes; `Authorization` is told of in documentation.ts. */
export const providerKeySchemes = Object.fromEntries(
  builtIn.flatMap(provider => [
    ...provider.keyIn.filter(name => name !== 'authorization').map(name => scheme(name, 'header')),
    ...(provider.keyQuery === undefined ? [] : [scheme(provider.keyQuery, 'query')]),
  ]),
)

function scheme(name: string, place: 'header' | 'query') {
  const description =
    'A token of the gateway, or the provider’s own key, where clients of some providers put their key.'
  return [`${place}-${name}`, { type: 'apiKey', in: place, name, description }] as const
}

const tokenOrKey = [
  { token: [] },
  { gatewayToken: [] },
  ...Object.keys(providerKeySchemes).map(name => ({ [name]: [] })),
]

/** What a provider answers, whatever it is. */
export const providerAnswer = (description: string, headers: Record<string, unknown>): Response => ({
  description,
  headers,
  content: {
    'application/json': { schema: ProviderAnswer },
    'text/event-stream': { schema: Type.String({ description: 'The provider’s own events, as they came.' }) },
    '*/*': {
      schema: Type.String({ format: 'binary', description: 'Pictures, speech and whatever else a provider sends.' }),
    },
  },
})

const EitherError = Type.Union([GatewayError, ProviderError])

/** A refusal in Cloudflare's envelope when it is the gateway's, in the provider's own words when it is the provider's. */
const refusal = (description: string, number: number, status: number, message: string): Response => ({
  description,
  content: { 'application/json': { schema: EitherError, example: envelope(number, status, message) } },
})

/** What can go wrong where answers are the providers' own. */
export const nativeErrors = named('Provider', {
  '400': refusal(
    'There is no such gateway, provider or stored key, or a header does not fit; or the provider says so.',
    2008,
    400,
    'Invalid provider: there is no provider "opnai"; servers of your own go under custom_providers in postern.yaml',
  ),
  '401': refusal('The token is missing or wrong, or the provider refuses its key.', 2009, 401, 'Unauthorized'),
  '403': refusal(
    'The token does not open this gateway, or the provider refuses.',
    2009,
    403,
    'the token "laptop" does not open the gateway "team"',
  ),
  '413': refusal(
    'The body is larger than the configuration’s `server.max_body`, or than the provider takes.',
    413,
    413,
    'the body is larger than 104857600 bytes (server.max_body in postern.yaml)',
  ),
  '429': {
    ...refusal('The gateway’s or the provider’s limit is reached.', 2003, 429, 'Rate limited'),
    headers: retryAfter,
  },
  '500': refusal('A fault of the gateway or of the provider.', 500, 500, 'a fault of the gateway itself'),
  '502': refusal('The provider gave no answer.', 2005, 502, 'no answer from the provider: the connection was closed'),
  '504': refusal('The provider did not answer in time.', 2005, 504, 'no answer from the provider: timed out'),
  default: {
    description: 'Any other status is the provider’s own, and so is what it says.',
    content: { 'application/json': { schema: ProviderError } },
  },
})

const parameters = [
  ...accountAndGateway,
  pathParameter(
    'provider',
    'The provider: a name from the table of `postToProvider`, or `custom-<name>` for a server that the configuration names.',
    builtIn[0]!.slug,
  ),
  pathParameter('path', 'The path behind the provider’s base address, with its slashes.', 'responses'),
  {
    name: 'query',
    in: 'query',
    required: false,
    description: 'Whatever the provider takes in the query, name by name: `{"api-version": "2025-04-01"}`.',
    style: 'form',
    explode: true,
    schema: { type: 'object', additionalProperties: { type: 'string' } },
    // Or the page at `/docs` would make something up.
    example: {},
  },
  ...callHeaders,
  headerParameter(
    'x-fal-target-url',
    'The whole address upstream, for the one provider whose own client sends it here in place of `path`.',
    { type: 'string', format: 'uri' },
  ),
]

const DESCRIPTION = [
  'Sends a request to a provider in the provider’s own format, and gives its answer as it came: status, headers and bytes, streams and files too. Clients of a provider work with `/v1/{account}/{gateway}/{provider}` as their base address.',
  providerTable,
  'What stands in braces is filled from the beginning of `path` as Cloudflare AI Gateway has it, from the key, or from the provider’s settings in `postern.yaml`.',
  '`path` and query go upstream with every escape as it was written. What the base address ends in may be repeated, and a version that the provider wants may be left out: `chat/completions` and `v1/chat/completions` reach the same address.',
  'A token of the gateway may stand where the provider’s clients put their key: it is taken out, and the operator’s key for the provider put in. A key of the provider’s in that place goes upstream as it is, with the token in `cf-aig-authorization`.',
  'OpenAPI has no parameter that spans several steps, and generated clients escape slashes. A `path` that has none but escaped ones, such as `chat%2Fcompletions`, is read with them unescaped.',
].join('\n\n')

type Verb = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

const operation = (operationId: string, summary: string, verb: Verb): Operation => ({
  operationId,
  summary,
  description: verb === 'POST' ? DESCRIPTION : `The same as \`postToProvider\` with ${verb}.`,
  tags: ['Providers'],
  security: tokenOrKey,
  parameters,
  ...(verb !== 'GET' && verb !== 'DELETE' && { requestBody }),
  responses: { '200': providerAnswer('The provider’s answer.', replyHeaders), ...nativeErrors },
})

const requestBody: Operation['requestBody'] = {
  description: 'In the provider’s own format; the bytes go upstream as they are.',
  content: {
    'application/json': {
      schema: Type.Unknown({ description: 'The provider’s own format.' }),
      example: { model: 'gpt-5-mini', input: 'What is a postern?' },
    },
    'multipart/form-data': {
      schema: Type.Object({}, { additionalProperties: true, description: 'The fields and files that it wants.' }),
    },
    'application/octet-stream': {
      schema: Type.String({ format: 'binary', description: 'A file as it is, under whatever type it has.' }),
    },
  },
}

const PATH = '/v1/:account/:gateway/:provider/*'

export const nativeOperations = [
  route('GET', PATH, operation('getFromProvider', 'Get from a provider', 'GET')),
  route('POST', PATH, operation('postToProvider', 'Ask a provider in its own format', 'POST')),
  route('PUT', PATH, operation('putToProvider', 'Put to a provider', 'PUT')),
  route('PATCH', PATH, operation('patchAtProvider', 'Change at a provider', 'PATCH')),
  route('DELETE', PATH, operation('deleteAtProvider', 'Delete at a provider', 'DELETE')),
]
