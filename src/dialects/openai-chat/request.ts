import type {
  Conversation,
  Effort,
  JsonObject,
  Output,
  Reasoning,
  Sampling,
  Tool,
  ToolChoice,
} from '../../conversation/conversation.ts'
import { Unsupported } from '../../conversation/errors.ts'
import { readMessages } from './request-messages.ts'
import type { ContentPart, Message } from './types.ts'

interface FunctionWire {
  name?: string
  description?: string
  parameters?: JsonObject | null
  strict?: boolean | null
}
interface ToolWire {
  type?: string
  function?: FunctionWire
  cache_control?: ContentPart['cache_control']
}
interface AllowedTools {
  mode?: string
  tools?: ToolWire[]
}
type ChoiceWire = string | { type?: string; function?: { name?: string }; name?: string; allowed_tools?: AllowedTools }

/** The request on the wire; TypeBox has checked its types before it comes here. */
interface RequestWire {
  messages: Message[]
  tools?: ToolWire[] | null
  functions?: FunctionWire[] | null
  tool_choice?: ChoiceWire | null
  function_call?: ChoiceWire | null
  parallel_tool_calls?: boolean | null
  response_format?: {
    type?: string
    json_schema?: { name?: string; description?: string; schema?: JsonObject; strict?: boolean | null }
  } | null
  temperature?: number | null
  top_p?: number | null
  top_k?: number | null
  min_p?: number | null
  seed?: number | null
  presence_penalty?: number | null
  frequency_penalty?: number | null
  logit_bias?: Record<string, number> | null
  logprobs?: boolean | null
  top_logprobs?: number | null
  n?: number | null
  stop?: string | string[] | null
  max_tokens?: number | null
  max_completion_tokens?: number | null
  reasoning_effort?: string | null
  reasoning?: {
    effort?: string | null
    max_tokens?: number | null
    enabled?: boolean | null
    exclude?: boolean | null
  } | null
  stream?: boolean | null
  stream_options?: { include_usage?: boolean | null } | null
  user?: string | null
  safety_identifier?: string | null
  metadata?: Record<string, string> | null
  service_tier?: string | null
  prompt_cache_key?: string | null
  verbosity?: string | null
  modalities?: string[] | null
}

const KNOWN = new Set([
  'model', 'messages', 'tools', 'functions', 'tool_choice', 'function_call', 'parallel_tool_calls', 'response_format',
  'temperature', 'top_p', 'top_k', 'min_p', 'seed', 'presence_penalty', 'frequency_penalty', 'logit_bias', 'logprobs',
  'top_logprobs', 'n', 'stop', 'max_tokens', 'max_completion_tokens', 'reasoning_effort', 'reasoning', 'stream',
  'stream_options', 'user', 'safety_identifier', 'metadata', 'service_tier', 'prompt_cache_key', 'verbosity', 'modalities',
]) // biome-ignore format: a list

/**
 * Reads a chat request into the neutral form.
 * @throws Unsupported for what exists only at OpenAI and must not be lost: custom and hosted tools, spoken answers, web search
 */
export function readRequest(body: JsonObject): Conversation {
  const wire = body as unknown as RequestWire
  if (wire.modalities?.some(modality => modality === 'audio'))
    throw new Unsupported('modalities', 'spoken answers exist only at OpenAI')
  if (body.web_search_options)
    throw new Unsupported('web_search_options', 'this provider has no web search in this form')
  const tools = readTools(wire)
  const unknown: JsonObject = {}
  for (const name in body) {
    const value = body[name]
    if (!KNOWN.has(name) && value !== null && value !== undefined) unknown[name] = value
  }
  if (wire.reasoning_effort && !EFFORTS.has(wire.reasoning_effort)) unknown.reasoning_effort = wire.reasoning_effort
  const nested = wire.reasoning?.effort
  if (nested && !EFFORTS.has(nested)) unknown.reasoning = { effort: nested }
  const stop = typeof wire.stop === 'string' ? [wire.stop] : wire.stop
  return {
    turns: readMessages(wire.messages),
    tools,
    ...readChoice(wire),
    ...put('parallelToolCalls', wire.parallel_tool_calls),
    output: readOutput(wire),
    sampling: readSampling(wire),
    ...put('reasoning', readReasoning(wire)),
    ...put('maxTokens', wire.max_completion_tokens ?? wire.max_tokens),
    ...(stop?.length && { stop }),
    ...put('count', wire.n),
    stream: wire.stream === true,
    includeUsage: wire.stream_options?.include_usage === true,
    ...put('user', wire.safety_identifier ?? wire.user),
    ...put('metadata', wire.metadata),
    ...put('serviceTier', wire.service_tier),
    ...put('promptCacheKey', wire.prompt_cache_key),
    ...put('verbosity', wire.verbosity),
    unknown,
  }
}

/** A member only where the caller gave it a value; zero and false are values (T97). */
function put<K extends string, V>(name: K, value: V | null | undefined): { [P in K]?: V } {
  return value === null || value === undefined ? {} : ({ [name]: value } as { [P in K]: V })
}

function readTools(wire: RequestWire): Tool[] {
  const declared: ToolWire[] = wire.tools ?? (wire.functions ?? []).map(each => ({ type: 'function', function: each }))
  return declared.map((tool, at) => {
    if (!tool.function || (tool.type && tool.type !== 'function'))
      throw new Unsupported(
        `tools[${at}]`,
        `a tool of type "${String(tool.type).slice(0, 40)}" has no counterpart at this provider`,
      )
    const { name = '', description, parameters, strict } = tool.function
    const ttl = tool.cache_control?.ttl
    return {
      name,
      ...put('description', description),
      ...put('parameters', parameters),
      ...put('strict', strict),
      ...(tool.cache_control && { cache: ttl === '1h' || ttl === '5m' ? { ttl } : {} }),
    }
  })
}

function readChoice(wire: RequestWire): { toolChoice?: ToolChoice; allowedTools?: string[] } {
  const choice = wire.tool_choice ?? wire.function_call
  if (choice === null || choice === undefined) return {}
  if (typeof choice === 'string') {
    if (choice === 'any') return { toolChoice: { type: 'required' } }
    if (choice === 'auto' || choice === 'none' || choice === 'required') return { toolChoice: { type: choice } }
    throw new Unsupported('tool_choice', 'expected "auto", "none", "required" or a named function')
  }
  if (choice.allowed_tools) {
    const { mode, tools } = choice.allowed_tools
    const allowedTools = (tools ?? []).flatMap(tool => tool.function?.name ?? [])
    return { toolChoice: { type: mode === 'required' ? 'required' : 'auto' }, allowedTools }
  }
  const name = choice.function?.name ?? choice.name
  // Some clients write the plain words as objects.
  if (!name && typeof choice.type === 'string' && choice.type !== 'function')
    return readChoice({ ...wire, tool_choice: choice.type })
  if (name && (choice.type ?? 'function') === 'function') return { toolChoice: { type: 'named', name } }
  throw new Unsupported('tool_choice', 'only functions can be chosen at this provider')
}

function readOutput(wire: RequestWire): Output {
  const format = wire.response_format
  if (format?.type === 'json_object') return { type: 'json' }
  if (format?.type === undefined || format.type === 'text') return { type: 'text' }
  if (format.type !== 'json_schema')
    throw new Unsupported('response_format.type', 'expected text, json_object or json_schema')
  const { name = 'answer', description, schema = {}, strict } = format.json_schema ?? {}
  return { type: 'schema', name, schema, ...put('description', description), ...put('strict', strict) }
}

function readSampling(wire: RequestWire): Sampling {
  return {
    ...put('temperature', wire.temperature),
    ...put('topP', wire.top_p),
    ...put('topK', wire.top_k),
    ...put('minP', wire.min_p),
    ...put('seed', wire.seed),
    ...put('presencePenalty', wire.presence_penalty),
    ...put('frequencyPenalty', wire.frequency_penalty),
    ...(wire.logit_bias && Object.keys(wire.logit_bias).length > 0 && { logitBias: wire.logit_bias }),
    // `false` asks for nothing, and must not make a target without log probabilities refuse.
    ...(wire.logprobs && { logprobs: true, ...put('topLogprobs', wire.top_logprobs) }),
  }
}

const EFFORTS = new Set<string>(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] satisfies Effort[])

function readReasoning(wire: RequestWire): Reasoning | undefined {
  const { effort: nested, max_tokens, enabled, exclude } = wire.reasoning ?? {}
  const said = wire.reasoning_effort ?? nested ?? undefined
  // Groq's `default`, and words to come, leave it to the model.
  const known = said !== undefined && EFFORTS.has(said) ? said : undefined
  const effort =
    known ?? (enabled === false ? 'none' : enabled === true && max_tokens === undefined ? 'medium' : undefined)
  if (effort === undefined && (max_tokens ?? exclude ?? undefined) === undefined) return undefined
  return {
    ...put('effort', effort as Effort | undefined),
    ...put('budget', max_tokens),
    ...(typeof exclude === 'boolean' && { visible: !exclude }),
  }
}
