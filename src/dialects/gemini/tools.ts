import type { Conversation, JsonObject, Tool } from '../../conversation/conversation.ts'
import { jsonSchema } from './json-schema.ts'
import { type ModelTraits, since } from './model.ts'
import { openApiSchema } from './openapi-schema.ts'
import { isObject } from './schema-nodes.ts'

/** @see https://ai.google.dev/api/caching#FunctionDeclaration */
export const TOOL_NAME = { pattern: /^[a-zA-Z_][a-zA-Z0-9_.:-]*$/, max: 64 }

/**
 * Declares a function. Its schema goes into `parameters`, the OpenAPI subset that every Gemini model on both services
 * takes; only where the subset would lose something (maps, recursion, tuples, numbers in an enum) it goes into
 * `parametersJsonSchema`, which models take from 2.5 on. An object without members means that there are no parameters.
 */
export function declareTool(tool: Tool, traits: ModelTraits): JsonObject {
  const declaration: JsonObject = {
    name: tool.name,
    ...(tool.description !== undefined && { description: tool.description }),
  }
  const { parameters } = tool
  if (!parameters || isEmpty(parameters)) return declaration
  const { schema, lossy } = openApiSchema(parameters)
  if (lossy && since(traits, 2.5)) declaration.parametersJsonSchema = jsonSchema(parameters)
  else declaration.parameters = schema.anyOf || schema.type ? schema : { type: 'object', ...schema }
  return declaration
}

function isEmpty(schema: JsonObject): boolean {
  const members = isObject(schema.properties) ? Object.keys(schema.properties).length : 0
  const others = ['$ref', 'anyOf', 'oneOf', 'allOf', 'patternProperties'].some(key => schema[key] !== undefined)
  return !members && !others && schema.additionalProperties !== true && !isObject(schema.additionalProperties)
}

/**
 * The caller's choice as `functionCallingConfig`. Only forced (ANY) and VALIDATED calling can be narrowed to some names,
 * so `allowed_tools` in mode `auto` becomes VALIDATED, which leaves the model free to answer with text.
 *
 * @param answerTool the tool that stands in for a JSON schema: the model must call it or, where the caller allows, one
 * of the others
 * @see https://ai.google.dev/api/caching#FunctionCallingConfig
 */
export function callingConfig(
  { toolChoice, allowedTools, tools }: Pick<Conversation, 'toolChoice' | 'allowedTools' | 'tools'>,
  answerTool?: string,
): JsonObject | undefined {
  const names = (list: string[]) => ({ allowedFunctionNames: list })
  const type = toolChoice?.type
  if (toolChoice?.type === 'named') return { mode: 'ANY', ...names([toolChoice.name]) }
  if (answerTool !== undefined) {
    if (type === 'none') return { mode: 'ANY', ...names([answerTool]) }
    if (type === 'required') return { mode: 'ANY', ...names(allowedTools ?? tools.map(tool => tool.name)) }
    return { mode: 'ANY', ...(allowedTools && names([...allowedTools, answerTool])) }
  }
  if (type === 'none') return { mode: 'NONE' }
  if (type === 'required') return { mode: 'ANY', ...(allowedTools && names(allowedTools)) }
  if (allowedTools) return { mode: 'VALIDATED', ...names(allowedTools) }
  return type === 'auto' ? { mode: 'AUTO' } : undefined
}
