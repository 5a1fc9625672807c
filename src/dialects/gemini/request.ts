import type { Conversation, JsonObject } from '../../conversation/conversation.ts'
import type { Memory, Target, WrittenRequest } from '../dialect.ts'
import { jsonTool } from '../json-tool.ts'
import { leftOut, type Word } from '../left-out.ts'
import { fitToolIds, readableId } from '../tool-ids.ts'
import { shortenToolNames } from '../tool-names.ts'
import { writeContents } from './contents.ts'
import { readExtras } from './extras.ts'
import { jsonSchema } from './json-schema.ts'
import { type ModelTraits, since, traitsOf } from './model.ts'
import { openApiSchema } from './openapi-schema.ts'
import { thinkingConfig } from './thinking.ts'
import { callingConfig, declareTool, TOOL_NAME } from './tools.ts'

const TOOL_ID = { pattern: /^[\x21-\x7e]{1,256}$/, make: readableId(64) }

/** Fields of the chat request that have a place in it, or are dealt with below. */
const WORDS: readonly Word[] = [
  'n',
  'logprobs',
  'seed',
  'presence_penalty',
  'frequency_penalty',
  'service_tier',
  'reasoning.exclude',
  'messages[].extra_content',
]

/**
 * Writes a `generateContent` body; whether the answer streams is the address's matter, not the body's.
 * @throws Unsupported naming what Gemini has no word for
 */
export function writeRequest(given: Conversation, target: Target): WrittenRequest {
  const traits = traitsOf(target.model)
  const { conversation: renamed, names } = shortenToolNames(given, TOOL_NAME)
  const conversation = fitToolIds(renamed, TOOL_ID)
  const memory: Memory = { ...(names && { toolNames: names }) }
  const dropped = new Set<string>()
  const extras = readExtras(conversation.unknown)
  const { contents, systemInstruction } = writeContents(conversation, traits, dropped)
  const generation = writeSampling(conversation, traits, dropped)
  const { tools, toolConfig } = writeTools(conversation, traits, generation, memory, dropped)
  writeThinking(conversation, traits, generation, extras.generation, dropped)
  Object.assign(generation, extras.generation)
  tools.push(...extras.tools)
  const serviceTier = tierOf(conversation.serviceTier, dropped)
  for (const name of [...leftOut(given, 'Gemini', WORDS), ...extras.dropped]) dropped.add(name)
  const body: JsonObject = {
    contents,
    ...(systemInstruction && { systemInstruction }),
    ...(tools.length > 0 && { tools }),
    ...(toolConfig && { toolConfig }),
    ...(Object.keys(generation).length > 0 && { generationConfig: generation }),
    ...(serviceTier && { serviceTier }),
    ...extras.request,
  }
  return { body, dropped: [...dropped], memory }
}

function writeSampling(conversation: Conversation, traits: ModelTraits, dropped: Set<string>): JsonObject {
  const { sampling, maxTokens, stop, count } = conversation
  const penalties: [string, string, number | undefined][] = [
    ['presencePenalty', 'presence_penalty', sampling.presencePenalty],
    ['frequencyPenalty', 'frequency_penalty', sampling.frequencyPenalty],
  ]
  const generation: JsonObject = {}
  const put = (name: string, value: unknown) => {
    if (value !== undefined) generation[name] = value
  }
  put('maxOutputTokens', maxTokens)
  put('temperature', sampling.temperature)
  put('topP', sampling.topP)
  put('topK', sampling.topK)
  put('seed', sampling.seed)
  for (const [name, field, value] of penalties) {
    // From 2.5 on any penalty, zero too, is a 400: "Penalty is not enabled for this model".
    if (value !== undefined && since(traits, 2.5)) dropped.add(field)
    else put(name, value)
  }
  if (stop?.length) put('stopSequences', stop)
  put('candidateCount', count)
  if (sampling.logprobs) {
    put('responseLogprobs', true)
    put('logprobs', sampling.topLogprobs)
  } else if (sampling.topLogprobs !== undefined) dropped.add('top_logprobs')
  return generation
}

/**
 * The tools, the choice among them, and the form of the answer, which depend on each other. Before Gemini 3 a model with
 * functions takes no JSON schema, so a tool stands in for it (T73); Gemini 3 takes both, except where a call is forced,
 * and then there is no text whose form could matter.
 */
function writeTools(
  conversation: Conversation,
  traits: ModelTraits,
  generation: JsonObject,
  memory: Memory,
  dropped: Set<string>,
): { tools: JsonObject[]; toolConfig?: JsonObject } {
  const { output, tools } = conversation
  // Without tools a choice among them is an error (T100).
  const config = tools.length ? callingConfig(conversation) : undefined
  if (tools.some(tool => tool.strict)) dropped.add('tools[].function.strict')
  const declared = tools.map(tool => declareTool(tool, traits))
  const given = (declarations: JsonObject[], calling = config) => ({
    tools: declarations.length ? [{ functionDeclarations: declarations }] : [],
    ...(calling && { toolConfig: { functionCallingConfig: calling } }),
  })
  if (output.type === 'text') return given(declared)
  if (!tools.length || (since(traits, 3) && config?.mode !== 'ANY')) {
    generation.responseMimeType = 'application/json'
    if (output.type === 'schema') {
      const { description, schema } = output
      const described = description === undefined ? schema : { description, ...schema }
      if (since(traits, 2)) generation.responseJsonSchema = jsonSchema(described)
      else generation.responseSchema = openApiSchema(described).schema
    }
    return given(declared)
  }
  if (output.type === 'json' || since(traits, 3)) {
    dropped.add('response_format')
    return given(declared)
  }
  const answer = jsonTool(conversation, output)
  memory.jsonTool = answer.name
  return given([...declared, declareTool(answer, traits)], callingConfig(conversation, answer.name))
}

function writeThinking(
  { reasoning, maxTokens }: Conversation,
  traits: ModelTraits,
  generation: JsonObject,
  extras: JsonObject,
  dropped: Set<string>,
): void {
  const config = reasoning && thinkingConfig(reasoning, traits, maxTokens)
  if (config) generation.thinkingConfig = config
  else if (reasoning) dropped.add('reasoning_effort')
  // What the caller says in Gemini's own words goes before; the two ways to say how much exclude each other.
  const { thinkingConfig: own } = extras
  if (!config || !own || typeof own !== 'object') return
  const { thinkingBudget, thinkingLevel, ...rest } = config
  const sized = 'thinkingBudget' in own || 'thinkingLevel' in own
  extras.thinkingConfig = { ...(sized ? rest : config), ...own }
}

/** @see https://ai.google.dev/gemini-api/docs/flex-inference */
function tierOf(tier: string | undefined, dropped: Set<string>): string | undefined {
  if (tier === undefined || tier === 'auto') return undefined
  if (tier === 'default') return 'standard'
  if (tier === 'standard' || tier === 'flex' || tier === 'priority') return tier
  dropped.add('service_tier')
  return undefined
}
