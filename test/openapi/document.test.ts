import { describe, expect, test } from 'bun:test'
import { tmpdir } from 'node:os'
import { Elysia } from 'elysia'
import { parse } from 'yaml'
import { documentText, openapiCommand } from '../../src/commands/openapi.ts'
import { documentedApp } from '../../src/http/documented-app.ts'
import { buildDocument, openapiRoutes } from '../../src/http/openapi.ts'

interface Operation {
  operationId: string
  tags: string[]
  security?: unknown[]
  parameters?: { $ref: string }[]
  requestBody?: { content: Record<string, { schema: unknown }> }
  responses: Record<string, Answer | { $ref: string }>
}
interface Answer {
  headers?: Record<string, { $ref: string }>
  content?: Record<string, { schema: unknown; example?: unknown }>
}
interface Schema {
  properties?: Record<string, Schema>
  [keyword: string]: unknown
}
interface Document {
  openapi: string
  servers: { url: string }[]
  tags: { name: string; description: string }[]
  paths: Record<string, Record<string, Operation>>
  components: {
    schemas: Record<string, Schema>
    parameters: Record<string, { name: string; in: string; schema: Schema }>
    headers: Record<string, Schema>
    responses: Record<string, Answer>
    securitySchemes: Record<string, unknown>
  }
}

const build = async (app: Parameters<typeof buildDocument>[0] = documentedApp()) =>
  (await buildDocument(app)) as unknown as Document
const root = `${import.meta.dir}/../..`

/** An answer, where it stands or among the components. */
const answerOf = ({ components }: Document, answer: Answer | { $ref: string }): Answer =>
  '$ref' in answer ? components.responses[answer.$ref.split('/').at(-1)!]! : answer

describe('the files in openapi/', () => {
  const stale = 'is stale: run `make openapi`'

  test('openapi.json is up to date', async () => {
    if ((await Bun.file(`${root}/openapi/openapi.json`).text()) !== (await documentText()))
      throw new Error(`openapi.json ${stale}`)
  })

  test('openapi.yaml is up to date', async () => {
    if ((await Bun.file(`${root}/openapi/openapi.yaml`).text()) !== (await documentText(true)))
      throw new Error(`openapi.yaml ${stale}`)
  })

  test('both say the same', async () => {
    expect(parse(await documentText(true))).toEqual(JSON.parse(await documentText()))
  })
})

describe('postern openapi', () => {
  const said = { out: [] as string[], err: [] as string[] }
  const output = { out: (line: string) => void said.out.push(line), err: (line: string) => void said.err.push(line) }

  test('prints the document', async () => {
    expect(await openapiCommand({ yaml: true, output: output })).toBe(0)
    expect(`${said.out.join('\n')}\n`).toBe(await documentText(true))
  })

  test('writes a file, and says so where it cannot', async () => {
    const out = `${tmpdir()}/postern-openapi-${process.pid}.json`
    expect(await openapiCommand({ out })).toBe(0)
    expect(await Bun.file(out).text()).toBe(await documentText())
    await Bun.file(out).delete()
    const nowhere = `${import.meta.path}/not-a-folder/openapi.json`
    expect(await openapiCommand({ out: nowhere, output: output })).toBe(1)
    expect(said.err).toEqual([`postern openapi: cannot write ${nowhere}: ENOTDIR`])
  })
})

describe('the document', () => {
  test('names every operation the way a generated function should be called', async () => {
    const { paths } = await build()
    const ids = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => `${method} ${path} ${operation.operationId}`),
    )
    expect(ids).toEqual([
      'get /client/v4/accounts/{account}/ai-gateway/analytics getAnalytics',
      'get /client/v4/accounts/{account}/ai-gateway/billing/credit-balance getCreditBalance',
      'get /client/v4/accounts/{account}/ai-gateway/billing/invoice-history getInvoiceHistory',
      'get /client/v4/accounts/{account}/ai-gateway/billing/invoice-preview getInvoicePreview',
      'get /client/v4/accounts/{account}/ai-gateway/billing/spending-limit getSpendingLimit',
      'post /client/v4/accounts/{account}/ai-gateway/billing/spending-limit setSpendingLimit',
      'delete /client/v4/accounts/{account}/ai-gateway/billing/spending-limit removeSpendingLimit',
      'get /client/v4/accounts/{account}/ai-gateway/billing/topup/config getTopupConfig',
      'get /client/v4/accounts/{account}/ai-gateway/billing/usage-history getUsageHistory',
      'get /client/v4/accounts/{account}/ai-gateway/custom-providers listCustomProviders',
      'post /client/v4/accounts/{account}/ai-gateway/custom-providers createCustomProvider',
      'get /client/v4/accounts/{account}/ai-gateway/custom-providers/{id} getCustomProvider',
      'patch /client/v4/accounts/{account}/ai-gateway/custom-providers/{id} changeCustomProvider',
      'delete /client/v4/accounts/{account}/ai-gateway/custom-providers/{id} deleteCustomProvider',
      'get /client/v4/accounts/{account}/ai-gateway/evaluation-types listEvaluationTypes',
      'get /client/v4/accounts/{account}/ai-gateway/gateways listGateways',
      'post /client/v4/accounts/{account}/ai-gateway/gateways createGateway',
      'get /client/v4/accounts/{account}/ai-gateway/gateways/{gateway} getGateway',
      'put /client/v4/accounts/{account}/ai-gateway/gateways/{gateway} replaceGateway',
      'delete /client/v4/accounts/{account}/ai-gateway/gateways/{gateway} deleteGateway',
      'get /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/analytics getGatewayAnalytics',
      'post /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/cache/purge purgeCache',
      'get /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/datasets listDatasets',
      'post /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/datasets createDataset',
      'get /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/datasets/{id} getDataset',
      'put /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/datasets/{id} replaceDataset',
      'delete /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/datasets/{id} deleteDataset',
      'get /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/evaluations listEvaluations',
      'post /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/evaluations createEvaluation',
      'get /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/evaluations/{id} getEvaluation',
      'delete /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/evaluations/{id} deleteEvaluation',
      'get /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/logs listLogs',
      'delete /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/logs deleteLogs',
      'get /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/logs/export exportLogs',
      'get /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/logs/{id} getLog',
      'patch /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/logs/{id} changeLog',
      'get /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/logs/{id}/explain explainLog',
      'get /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/logs/{id}/request getLogRequestBody',
      'get /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/logs/{id}/response getLogResponseBody',
      'get /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/policies listPolicies',
      'post /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/policies createPolicy',
      'post /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/policies/commit commitPolicies',
      'post /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/policies/simulate simulatePolicies',
      'get /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/policies/{id} getPolicy',
      'put /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/policies/{id} updatePolicy',
      'delete /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/policies/{id} deletePolicy',
      'get /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/provider_configs listProviderConfigs',
      'post /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/provider_configs createProviderConfig',
      'get /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/provider_configs/{id} getProviderConfig',
      'put /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/provider_configs/{id} replaceProviderConfig',
      'patch /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/provider_configs/{id} changeProviderConfig',
      'delete /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/provider_configs/{id} deleteProviderConfig',
      'get /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/routes listRoutes',
      'post /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/routes createRoute',
      'get /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/routes/{id} getRoute',
      'patch /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/routes/{id} renameRoute',
      'delete /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/routes/{id} deleteRoute',
      'get /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/routes/{id}/deployments listRouteDeployments',
      'post /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/routes/{id}/deployments createRouteDeployment',
      'get /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/routes/{id}/versions listRouteVersions',
      'post /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/routes/{id}/versions createRouteVersion',
      'get /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/routes/{id}/versions/{version} getRouteVersion',
      'delete /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/run/{run} stopRun',
      'get /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/run/{run}/resume resumeRun',
      'get /client/v4/accounts/{account}/ai-gateway/gateways/{gateway}/url/{slug} getGatewayUrl',
      'post /client/v4/accounts/{account}/ai/run runModel',
      'post /client/v4/accounts/{account}/ai/run/{model} runNamedModel',
      'post /client/v4/accounts/{account}/ai/v1/chat/completions createAccountChatCompletion',
      'post /client/v4/accounts/{account}/ai/v1/embeddings createAccountEmbeddings',
      'post /client/v4/accounts/{account}/ai/v1/messages createAccountMessage',
      'post /client/v4/accounts/{account}/ai/v1/responses createAccountResponse',
      'get /client/v4/accounts/{account}/tokens listTokens',
      'post /client/v4/accounts/{account}/tokens createToken',
      'get /client/v4/accounts/{account}/tokens/permission_groups listPermissionGroups',
      'get /client/v4/accounts/{account}/tokens/verify verifyToken',
      'get /client/v4/accounts/{account}/tokens/{id} getToken',
      'put /client/v4/accounts/{account}/tokens/{id} replaceToken',
      'delete /client/v4/accounts/{account}/tokens/{id} deleteToken',
      'put /client/v4/accounts/{account}/tokens/{id}/value rollToken',
      'post /client/v4/graphql queryGraphql',
      'get /client/v4/user/tokens/verify verifyUserToken',
      'get /healthz getHealth',
      'get /metrics getMetrics',
      'get /openapi.json getOpenapiDocument',
      'get /readyz getReadiness',
      'post /v1/chat/completions createChatCompletion',
      'get /v1/models listModels',
      'post /v1/{account}/{gateway} runSteps',
      'post /v1/{account}/{gateway}/compat/chat/completions createGatewayChatCompletion',
      'get /v1/{account}/{gateway}/compat/models listGatewayModels',
      'get /v1/{account}/{gateway}/{provider}/{path} getFromProvider',
      'post /v1/{account}/{gateway}/{provider}/{path} postToProvider',
      'put /v1/{account}/{gateway}/{provider}/{path} putToProvider',
      'patch /v1/{account}/{gateway}/{provider}/{path} patchAtProvider',
      'delete /v1/{account}/{gateway}/{provider}/{path} deleteAtProvider',
    ])
  })

  test('claims only content types that are true', async () => {
    const document = await build()
    const JSON_ALONE = ['application/json']
    const STREAMS = [...JSON_ALONE, 'text/event-stream']
    const asked: Record<string, string[]> = {
      postToProvider: [...JSON_ALONE, 'multipart/form-data', 'application/octet-stream'],
      runNamedModel: [...JSON_ALONE, 'application/octet-stream'],
    }
    asked.putToProvider = asked.patchAtProvider = asked.postToProvider!
    const answered = (id: string) => {
      if (id === 'resumeRun') return ['text/event-stream']
      if (id === 'getMetrics') return ['text/plain']
      if (id === 'exportLogs') return ['application/x-ndjson']
      if (id.endsWith('Body')) return ['*/*']
      if (/(?:From|To|to|At)Provider$|^run/.test(id)) return [...STREAMS, '*/*']
      return /(?:Completion|Message|Response)$/.test(id) ? STREAMS : JSON_ALONE
    }
    for (const methods of Object.values(document.paths))
      for (const { operationId, requestBody, responses } of Object.values(methods)) {
        if (requestBody) expect(Object.keys(requestBody.content)).toEqual(asked[operationId] ?? JSON_ALONE)
        for (const [status, response] of Object.entries(responses)) {
          const types = Object.keys(answerOf(document, response).content ?? {})
          expect(`${operationId} ${status} ${types}`).toBe(
            `${operationId} ${status} ${status === '431' ? [] : status === '200' ? answered(operationId) : JSON_ALONE}`,
          )
        }
      }
  })

  test('refers to named components', async () => {
    const document = await build()
    const { paths, components } = document
    const chat = paths['/v1/chat/completions']!.post!
    const said = (status: string) => answerOf(document, chat.responses[status]!).content!
    const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })
    expect(chat.requestBody!.content['application/json']!.schema).toEqual(ref('ChatCompletionRequest'))
    expect(said('200')['application/json']!.schema).toEqual(ref('ChatCompletion'))
    expect(said('200')['text/event-stream']!.schema).toEqual(ref('ChatCompletionChunk'))
    for (const status of ['404', '413', '429', '500', '502', '504'])
      expect(said(status)['application/json']!.schema).toEqual(ref('ErrorResponse'))
    // What the gateway itself says of tokens and gateways has Cloudflare's envelope.
    for (const status of ['400', '401', '403'])
      expect(said(status)['application/json']!.schema).toEqual({
        anyOf: [ref('ErrorResponse'), ref('GatewayError')],
      } as never)
    expect(components.schemas.ChatCompletionRequest!.properties!.messages).toMatchObject({ items: ref('ChatMessage') })
    expect(components.schemas.ChatMessage).toMatchObject({
      discriminator: { propertyName: 'role', mapping: { user: '#/components/schemas/UserMessage' } },
    })
    const text = JSON.stringify(document)
    for (const [, place, name] of text.matchAll(/"#\/components\/(\w+)\/([^"]+)"/g))
      expect(Object.keys(components[place as 'schemas'])).toContain(name!)
    expect(text).not.toContain('$id')
    expect(text).not.toContain('x-o')
  })

  test('its examples keep to their schemas', async () => {
    const { explainBody, explain } = await import('../../src/schemas/explain.ts')
    const { ChatCompletion } = await import('../../src/schemas/chat-reply.ts')
    const { ChatCompletionChunk } = await import('../../src/schemas/chat-chunk.ts')
    const { ModelList } = await import('../../src/schemas/models.ts')
    const examples = await import('../../src/http/documentation-examples.ts')
    for (const { value } of Object.values(examples.chatExamples)) expect(explainBody(value)).toBeUndefined()
    expect(explain(ChatCompletion, examples.completionExample)).toBeUndefined()
    expect(explain(ChatCompletionChunk, examples.chunkExample)).toBeUndefined()
    expect(explain(ModelList, examples.modelsExample)).toBeUndefined()
  })

  test('asks for a token wherever one is needed, and nowhere else', async () => {
    const { paths, components } = await build()
    const places = Object.keys(components.securitySchemes)
    expect(places.slice(0, 2)).toEqual(['token', 'gatewayToken'])
    const anywhere = places.map(name => ({ [name]: [] }))
    for (const [path, methods] of Object.entries(paths))
      for (const { operationId, security } of Object.values(methods)) {
        // Where a provider's key may stand in its own place, the token may; on the REST plane it has one place.
        if (/(?:From|To|to|At)Provider$/.test(operationId)) expect(security).toEqual(anywhere)
        else if (path.startsWith('/client/')) expect(security).toEqual([{ token: [] }])
        else if (path === '/metrics') expect(security).toBeUndefined()
        else expect(security).toEqual(path.startsWith('/v1/') ? undefined : [])
      }
  })

  test('every tag that an operation has is described', async () => {
    const { paths, tags } = await build()
    const described = tags.filter(tag => tag.description).map(tag => tag.name)
    for (const methods of Object.values(paths))
      for (const operation of Object.values(methods)) for (const tag of operation.tags) expect(described).toContain(tag)
  })

  test('leaves out routes without documentation and does not depend on the order of plugins', async () => {
    const more = new Elysia()
      .get('/private', () => 'x')
      .use(documentedApp())
      .all('/v1/*', () => 'y')
    expect(await build(more)).toEqual(await build())
  })
})

test('/openapi.json is the document of the app that it is mounted on, however deep', async () => {
  const plugin = new Elysia().use(openapiRoutes())
  const app = new Elysia().use(plugin).use(documentedApp())
  const response = await app.handle(new Request('http://localhost/openapi.json'))
  expect(response.headers.get('content-type')).toStartWith('application/json')
  expect(await response.json()).toEqual(JSON.parse(await documentText()))
})
