import { dollarsOf } from '../../costs/money.ts'
import type { AttemptRecord } from '../attempt-record.ts'
import { type BodyTexts, cut } from '../delivery/bodies.ts'
import { finishReasons, inputMessages, outputMessages } from './messages.ts'
import { conventionalProvider, operationOf } from './operation.ts'
import type { Understood } from './understood.ts'

export type AttributeValue = string | number | boolean | string[]
export type SpanAttributes = Record<string, AttributeValue>

/** Characters of a prompt or an answer that a span holds. */
const LONGEST_TEXT = 131_072
const MS = 1_000

/** What the conventions keep for themselves: no metadata may look like it (contract 8.6). */
const RESERVED = 'gen_ai.'

export interface Described {
  attributes: SpanAttributes
  /** Entries of the metadata that had to stay out. */
  dropped: number
}

/**
 * The attributes of an attempt's span: those that Cloudflare documents and those that it was seen to send (contract 8.6),
 * today's GenAI conventions, and ours under `postern.`. Metadata stands under its own keys and never in place of another.
 * @param texts bodies, where they are collected
 * @param understood the same in the neutral form, where somebody could read them
 */
export function attributesOf(record: AttemptRecord, texts: BodyTexts, understood: Understood): Described {
  const attributes: SpanAttributes = {}
  const dropped = putMetadata(record, attributes)
  putRequest(record, attributes)
  putUsage(record, attributes)
  putOwn(record, attributes)
  putBodies(texts, attributes)
  putMessages(understood, attributes)
  return { attributes, dropped }
}

function putMetadata({ metadata = {} }: AttemptRecord, into: SpanAttributes): number {
  let dropped = 0
  for (const [key, value] of Object.entries(metadata)) {
    if (key.startsWith(RESERVED)) dropped++
    else if (value !== null) into[key] = value
  }
  return dropped
}

function putRequest(record: AttemptRecord, into: SpanAttributes): void {
  const { provider, model, error, status, server, firstWord, answeredBy, finish } = record
  into['gen_ai.operation.name'] = operationOf(record.path)
  if (model !== undefined) into['gen_ai.request.model'] = model
  if (provider !== undefined) {
    into['gen_ai.provider.name'] = conventionalProvider(provider)
    into['gen_ai.model.provider'] = provider
  }
  if (answeredBy !== undefined) into['gen_ai.response.model'] = answeredBy
  if (finish) into['gen_ai.response.finish_reasons'] = finishReasons(finish)
  if (record.stream) into['gen_ai.request.stream'] = true
  if (firstWord !== undefined) into['gen_ai.response.time_to_first_chunk'] = firstWord / MS
  if (server) {
    into['server.address'] = server.address
    if (server.port !== undefined) into['server.port'] = server.port
  }
  into['http.request.method'] = record.method
  into['http.response.status_code'] = status
  into['url.path'] = record.path
  if (record.userAgent !== undefined) into['user_agent.original'] = record.userAgent
  if (error || status >= 400) into['error.type'] = error?.code ?? String(status)
}

function putUsage({ usage, cost }: AttemptRecord, into: SpanAttributes): void {
  if (usage) {
    into['gen_ai.usage.input_tokens'] = usage.input
    into['gen_ai.usage.output_tokens'] = usage.output
    if (usage.cacheRead !== undefined) into['gen_ai.usage.cache_read.input_tokens'] = usage.cacheRead
    if (usage.cacheWrite !== undefined) into['gen_ai.usage.cache_creation.input_tokens'] = usage.cacheWrite
    if (usage.reasoning !== undefined) into['gen_ai.usage.reasoning.output_tokens'] = usage.reasoning
  }
  if (cost) into['gen_ai.usage.cost'] = dollarsOf(cost.pico)
}

function putOwn(record: AttemptRecord, into: SpanAttributes): void {
  into['postern.log.id'] = record.id
  into['postern.event.id'] = record.event
  into['postern.request.id'] = record.request
  into['postern.gateway'] = record.gateway
  into['postern.surface'] = record.surface
  into['postern.attempt'] = record.attempt
  into['postern.cached'] = record.cached
  if (record.step !== undefined) into['postern.step'] = record.step
  if (record.token !== undefined) into['postern.token'] = record.token
  if (record.asked !== undefined) into['postern.model.asked'] = record.asked
}

function putBodies({ request, answer }: BodyTexts, into: SpanAttributes): void {
  if (request !== undefined) putText('gen_ai.prompt_json', request, into)
  if (answer !== undefined) putText('gen_ai.completion_json', answer, into)
}

function putMessages({ conversation, reply }: Understood, into: SpanAttributes): void {
  if (conversation) {
    const { system, messages } = inputMessages(conversation)
    if (system !== undefined) putText('gen_ai.system_instructions', system, into)
    putText('gen_ai.input.messages', messages, into)
  }
  if (!reply) return
  putText('gen_ai.output.messages', outputMessages(reply), into)
  into['gen_ai.response.finish_reasons'] ??= finishReasons(reply.choices.map(({ finish }) => finish))
  if (reply.model !== undefined) into['gen_ai.response.model'] ??= reply.model
  if (reply.id !== undefined) into['gen_ai.response.id'] = reply.id
}

/** A text that was too long says so beside it, for it is no JSON any more. */
function putText(name: string, value: string, into: SpanAttributes): void {
  const { text, isCut } = cut(value, LONGEST_TEXT)
  into[name] = text
  if (isCut) into[`postern.cut.${name}`] = value.length
}
