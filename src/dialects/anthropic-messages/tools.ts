import type { Conversation, JsonObject, Tool } from '../../conversation/conversation.ts'
import { Unsupported } from '../../conversation/errors.ts'
import type { CacheMark } from '../../conversation/parts.ts'
import type { Claude } from '../claude.ts'
import { jsonTool } from '../json-tool.ts'
import { canBeClosed, closedSchema, objectRoot } from '../object-schema.ts'
import type { CacheControl } from './types.ts'

export const cacheControl = (mark: CacheMark | undefined): { cache_control?: CacheControl } =>
  mark ? { cache_control: { type: 'ephemeral', ...(mark.ttl && { ttl: mark.ttl }) } } : {}

/** Anthropic takes at most this many strict tools in one request. */
const MAX_STRICT = 20

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)

/** A strict tool's schema must need no cleaning: otherwise the promise is dropped and the schema stays whole. */
const canBeStrict = (schema: JsonObject) => canBeClosed(schema) && same(closedSchema(schema), schema)

function writeTool(tool: Tool, strict: boolean): JsonObject {
  return {
    name: tool.name,
    ...(tool.description !== undefined && { description: tool.description }),
    input_schema: objectRoot(tool.parameters),
    ...(strict && { strict: true }),
    ...cacheControl(tool.cache),
  }
}

export interface WrittenTools {
  tools?: JsonObject[]
  toolChoice?: JsonObject
  /** The value of `output_config.format`. */
  format?: JsonObject
  /** The name of the tool that stands in for a schema. */
  jsonTool?: string
  /** Whether the model must call a tool: it cannot think then. */
  forced: boolean
  dropped: string[]
}

/**
 * Writes the tools, the choice among them and the form of the answer, which on older models is a forced tool too (T73).
 * @throws Unsupported where a tool is to be forced and the model refuses that
 */
export function writeTools(conversation: Conversation, claude: Claude): WrittenTools {
  const { allowedTools, output } = conversation
  // There is no list of allowed tools here: only those are declared.
  const usable = conversation.tools.filter(tool => !allowedTools || allowedTools.includes(tool.name))
  const choice = usable.length ? (conversation.toolChoice ?? { type: 'auto' as const }) : { type: 'none' as const }
  const dropped: string[] = []
  const schema = output.type === 'schema' && Object.keys(output.schema).length > 0 ? output : undefined
  // Without a schema there is nothing to hold the model to; OpenAI's own rule puts the word JSON in the prompt.
  if (output.type !== 'text' && !schema) dropped.push('response_format')
  const native = schema && claude.structured && canBeClosed(schema.schema)
  const stand = schema && !native && choice.type !== 'named' ? jsonTool(conversation, schema) : undefined

  const wishes = usable.filter(tool => tool.strict && claude.structured && canBeStrict(objectRoot(tool.parameters)))
  const strict = wishes.length <= MAX_STRICT ? wishes : []
  if (usable.some(tool => tool.strict && !strict.includes(tool))) dropped.push('tools[].function.strict')
  const tools = [
    ...usable.map(tool => writeTool(tool, strict.includes(tool))),
    ...(stand ? [writeTool(stand, false)] : []),
  ]
  const forced = stand !== undefined || choice.type === 'required' || choice.type === 'named'
  if (forced && !claude.forcedTool)
    throw new Unsupported(stand ? 'response_format' : 'tool_choice', 'this model cannot be made to call a tool')
  return {
    ...(tools.length > 0 && { tools }),
    ...(tools.length > 0 && { toolChoice: writeChoice(conversation, choice, stand?.name) }),
    ...(native && { format: { type: 'json_schema', schema: closedSchema(schema.schema) } }),
    ...(stand && { jsonTool: stand.name }),
    forced,
    dropped,
  }
}

/** @see https://platform.claude.com/docs/en/agents-and-tools/tool-use/implement-tool-use#controlling-claudes-output (T69) */
function writeChoice(
  { parallelToolCalls }: Conversation,
  choice: NonNullable<Conversation['toolChoice']>,
  stand: string | undefined,
): JsonObject | undefined {
  const one = { disable_parallel_tool_use: true }
  // One answer in the wished form, or one of the caller's tools first.
  if (stand && choice.type !== 'none') return { type: 'any', ...one }
  if (stand) return { type: 'tool', name: stand, ...one }
  const single = parallelToolCalls === false ? one : {}
  switch (choice.type) {
    case 'named':
      return { type: 'tool', name: choice.name, ...single }
    case 'required':
      return { type: 'any', ...single }
    case 'none':
      return { type: 'none' }
    default:
      // `auto` is the habit where there are tools: it is written only to carry the wish for single calls.
      return parallelToolCalls === false ? { type: 'auto', ...one } : undefined
  }
}
