import type { Conversation, JsonObject, Tool } from '../../conversation/conversation.ts'
import { Unsupported } from '../../conversation/errors.ts'
import { mentionsTools } from '../../conversation/turns.ts'
import { jsonTool } from '../json-tool.ts'
import { canBeClosed, closedSchema, objectRoot } from '../object-schema.ts'
import { cachePoint } from './request-messages.ts'

function writeTool(tool: Tool): JsonObject {
  return {
    toolSpec: {
      name: tool.name,
      // An empty description is refused.
      ...(tool.description && { description: tool.description }),
      inputSchema: { json: objectRoot(tool.parameters) },
    },
  }
}

/** Converse refuses a history with calls unless tools are declared: then those that the history names (T54). */
function toolsOfHistory({ turns }: Conversation): Tool[] {
  const names = new Set<string>()
  for (const turn of turns) for (const part of turn.parts) if (part.type === 'tool-call') names.add(part.name)
  return [...names].map(name => ({ name }))
}

export interface WrittenTools {
  toolConfig?: JsonObject
  outputConfig?: JsonObject
  /** The name of the tool that stands in for a schema. */
  jsonTool?: string
  /** Whether the model must call a tool: Claude cannot think then. */
  forced: boolean
  dropped: string[]
}

/** What the model takes. */
export interface Abilities {
  schema: boolean
  cache: boolean
  forcedTool: boolean
}

/**
 * Writes the tools, the choice among them and the form of the answer, which on many models is a forced tool too (T73).
 * @throws Unsupported where a tool is to be forced and the model refuses that
 */
export function writeTools(conversation: Conversation, abilities: Abilities): WrittenTools {
  const { allowedTools, output, toolChoice } = conversation
  const dropped: string[] = []
  // There is no list of allowed tools here: only those are declared.
  let usable = conversation.tools.filter(tool => !allowedTools || allowedTools.includes(tool.name))
  // Nor is there a choice of none: the tools go, unless the history cannot be told without them (trap 34).
  if (toolChoice?.type === 'none') {
    if (usable.length && mentionsTools(conversation)) dropped.push('tool_choice')
    else usable = []
  }
  if (conversation.parallelToolCalls === false && usable.length) dropped.push('parallel_tool_calls')
  if (usable.some(tool => tool.strict)) dropped.push('tools[].function.strict')
  const choice = usable.length ? toolChoice : undefined

  const schema = output.type === 'schema' && Object.keys(output.schema).length > 0 ? output : undefined
  // Without a schema there is nothing to hold the model to; OpenAI's own rule puts the word JSON in the prompt.
  if (output.type !== 'text' && !schema) dropped.push('response_format')
  const native = schema && abilities.schema && canBeClosed(schema.schema)
  const stand = schema && !native && choice?.type !== 'named' ? jsonTool(conversation, schema) : undefined
  const forced = stand !== undefined || choice?.type === 'required' || choice?.type === 'named'
  if (forced && !abilities.forcedTool)
    throw new Unsupported(stand ? 'response_format' : 'tool_choice', 'this model cannot be made to call a tool')

  const declared = usable.length || stand ? usable : toolsOfHistory(conversation)
  const tools = [...declared, ...(stand ? [stand] : [])].flatMap(tool => {
    if (tool.cache && !abilities.cache) dropped.push('cache_control')
    return [writeTool(tool), ...(abilities.cache ? cachePoint(tool.cache) : [])]
  })
  return {
    ...(tools.length > 0 && {
      toolConfig: { tools, ...writeChoice(choice, stand?.name, usable.length > 0) },
    }),
    ...(native && { outputConfig: writeFormat(schema) }),
    ...(stand && { jsonTool: stand.name }),
    forced,
    dropped,
  }
}

function writeChoice(choice: Conversation['toolChoice'], stand: string | undefined, others: boolean): JsonObject {
  // One answer in the wished form, or one of the caller's tools first.
  if (stand) return { toolChoice: others && choice?.type !== 'none' ? { any: {} } : { tool: { name: stand } } }
  switch (choice?.type) {
    case 'named':
      return { toolChoice: { tool: { name: choice.name } } }
    case 'required':
      return { toolChoice: { any: {} } }
    default:
      return {}
  }
}

/** The schema goes as text. */
function writeFormat(output: { name: string; description?: string; schema: JsonObject }): JsonObject {
  const jsonSchema = {
    name: output.name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 64) || 'answer',
    ...(output.description && { description: output.description }),
    schema: JSON.stringify(closedSchema(output.schema)),
  }
  return { textFormat: { type: 'json_schema', structure: { jsonSchema } } }
}
