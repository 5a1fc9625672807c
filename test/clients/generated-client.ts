import { mkdir, rm } from 'node:fs/promises'

/** Makes a TypeScript client of openapi/openapi.json, as a reader of the document would, and checks its types. */

const root = `${import.meta.dir}/../..`
export const folder = `${import.meta.dir}/generated`

/**
 * A program that uses the client. It is checked with the client, in a folder of its own, because a fresh checkout has
 * no client that the project's own type check could find.
 */
const consumer = `import { createClient } from './client'
import type { ChatCompletionChunk, ChatCompletionRequest, ErrorResponse, GatewayError, RunRequest, UniversalRequest } from './index'
import {
  createAccountEmbeddings,
  createChatCompletion,
  createGatewayChatCompletion,
  getFromProvider,
  getHealth,
  getReadiness,
  listLogs,
  listModels,
  postToProvider,
  runModel,
  runNamedModel,
  runSteps,
} from './index'

const messages: ChatCompletionRequest['messages'] = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: [{ type: 'text', text: 'What is this?' }, { type: 'image_url', image_url: { url: 'data:,' } }] },
]

// @ts-expect-error a message needs a role that exists
export const wrongRole: ChatCompletionRequest = { model: 'a/b', messages: [{ role: 'robot', content: 'x' }] }
// @ts-expect-error a picture is an address
export const wrongPart: ChatCompletionRequest = { model: 'a/b', messages: [{ role: 'user', content: [{ type: 'image_url', image_url: 5 }] }] }
// @ts-expect-error a step names its provider
export const noProvider: UniversalRequest = [{ endpoint: 'chat/completions', query: {} }]
// @ts-expect-error what is run has an input
export const noInput: RunRequest = { model: '@cf/meta/llama' }
// @ts-expect-error a request names a model
export const noModel: ChatCompletionRequest = { messages }

/** The message of an error, in OpenAI's shape or in the gateway's envelope. */
function reasonOf(answer: ErrorResponse | GatewayError | undefined): string | undefined {
  if (!answer) return undefined
  return 'httpCode' in answer ? (answer as GatewayError).message : (answer as ErrorResponse).error.message
}

export async function run(baseUrl: string, token: string) {
  const client = createClient({ baseUrl, auth: scheme => (scheme.type === 'http' ? token : undefined) })
  const whole = await createChatCompletion({ client, body: { model: 'test/echo', messages }, throwOnError: true })
  const finish: 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'function_call' | null | undefined = whole.data.choices[0]?.finish_reason
  const named = await createGatewayChatCompletion({
    client,
    path: { account: 'home', gateway: 'default' },
    headers: { 'cf-aig-skip-cache': true },
    body: { model: 'test/echo', messages },
  })
  const { stream } = await client.sse.post<{ 200: ChatCompletionChunk | string }>({
    url: '/v1/chat/completions',
    body: { model: 'test/echo', messages, stream: true, stream_options: { include_usage: true } },
    headers: { 'content-type': 'application/json' },
    security: [{ scheme: 'bearer', type: 'http' }],
    sseMaxRetryAttempts: 1,
  })
  let streamed = ''
  let tokens = 0
  for await (const chunk of stream) {
    if (typeof chunk === 'string') continue
    streamed += chunk.choices[0]?.delta.content ?? ''
    tokens = chunk.usage?.total_tokens ?? tokens
  }
  const refused = await createChatCompletion({ body: { model: 'test/echo', messages }, client: createClient({ baseUrl }) })
  const invalid = await createChatCompletion({ client, body: { model: '', messages } })
  return {
    text: whole.data.choices[0]?.message.content,
    finish,
    named: named.data?.model,
    streamed,
    tokens,
    refused: refused.response?.status,
    reason: reasonOf(refused.error),
    invalid: reasonOf(invalid.error),
    models: (await listModels({ client })).data?.data.map(model => model.id),
    health: (await getHealth({ client })).data?.status,
    ready: (await getReadiness({ client })).data?.status,
  }
}

const gateway = { account: 'home', gateway: 'default' }
const account = { account: 'home' }

/** What Cloudflare's own addresses are for, against a running gateway. */
export async function runSurfaces(baseUrl: string, token: string) {
  const client = createClient({ baseUrl, auth: scheme => (scheme.type === 'http' ? token : undefined) })
  const steps = await runSteps({
    client,
    path: gateway,
    headers: { 'cf-aig-max-attempts': 1, 'cf-aig-skip-cache': true },
    body: [
      { provider: 'mistral', endpoint: 'v1/chat/completions', headers: {}, query: { model: 'm', messages } },
      { provider: 'openai', endpoint: 'chat/completions', headers: {}, config: { backoff: 'linear' }, query: { model: 'm', messages } },
    ],
  })
  const noStep = await runSteps({ client, path: gateway, body: { provider: 'nowhere', endpoint: '', query: {} } })
  const ran = await runModel({
    client,
    path: account,
    headers: { 'cf-aig-gateway-id': 'default' },
    body: { model: 'openai/m', input: { messages } },
  })
  const named = await runNamedModel({ client, path: { ...account, model: '@cf/meta/llama' }, body: { prompt: 'hello' } })
  const refused = await runModel({ client: createClient({ baseUrl }), path: account, body: { model: 'openai/m', input: {} } })
  const vectors = await createAccountEmbeddings({ client, path: account, body: { model: 'openai/e', input: ['a'] } })
  const native = await postToProvider({ client, path: { ...gateway, provider: 'openai', path: 'responses' }, body: { model: 'm', input: 'hello' } })
  const models = await getFromProvider({ client, path: { ...gateway, provider: 'openai', path: 'models' }, query: { query: { after: 'x y', 'api-version': '1' } } })
  const long = await client.post<unknown>({ url: '/v1/home/default/openai/chat/completions', body: { model: 'm', messages }, security: [{ scheme: 'bearer', type: 'http' }] })
  const logs = await listLogs({ client, path: gateway, query: { per_page: 5, order_by: 'cost', filters: '[{"key":"provider","operator":"eq","value":["openai"]}]' } })
  const tokens: (number | null)[] | undefined = logs.data?.result.map(log => log.tokens_in)
  const success: true | undefined = ran.data?.success
  return {
    steps: steps.data,
    step: steps.response?.headers.get('cf-aig-step'),
    noStep: noStep.error && 'internalCode' in noStep.error ? noStep.error.internalCode : undefined,
    success,
    ran: ran.data?.result,
    named: named.data?.success,
    refused: refused.error?.errors[0]?.code,
    vector: vectors.data?.data[0]?.embedding,
    native: native.data,
    models: models.data,
    long: long.response?.status,
    logged: tokens !== undefined && logs.data?.result_info.per_page,
  }
}
`

const tsconfig = {
  compilerOptions: {
    target: 'ESNext',
    module: 'Preserve',
    moduleResolution: 'bundler',
    lib: ['ESNext', 'DOM', 'DOM.Iterable', 'DOM.AsyncIterable'],
    types: [],
    strict: true,
    noUncheckedIndexedAccess: true,
    noUnusedLocals: true,
    verbatimModuleSyntax: true,
    noEmit: true,
  },
  include: ['.'],
}

/** TypeScript 7 has no programming interface, which the generator needs; the older one stands beside it. */
function lendTypeScript(): void {
  // Bound at run time, so that the types of this file do not depend on the second compiler.
  const typescript = require('typescript-6') as Record<string, unknown>
  Bun.plugin({
    name: 'typescript-6',
    setup(build) {
      build.module('typescript', () => ({ exports: { ...typescript, default: typescript }, loader: 'object' }))
    },
  })
}

/** Writes the client into {@link folder}. */
export async function generateClient(): Promise<void> {
  lendTypeScript()
  const { createClient } = await import('@hey-api/openapi-ts')
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  await createClient({
    input: `${root}/openapi/openapi.json`,
    output: { path: folder },
    logs: { level: 'silent', file: false },
  })
  await Bun.write(`${folder}/consumer.ts`, consumer)
  await Bun.write(`${folder}/tsconfig.json`, JSON.stringify(tsconfig))
}

/** @returns what the compiler complains of; empty when nothing */
export async function checkClient(): Promise<string> {
  const child = Bun.spawn([`${root}/node_modules/.bin/tsc`, '--project', `${folder}/tsconfig.json`], { stdout: 'pipe' })
  return await new Response(child.stdout).text()
}
