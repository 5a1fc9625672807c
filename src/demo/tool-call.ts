import type { DemoRequest } from './request.ts'

export interface DemoToolCall {
  name: string
  arguments: string
}

interface JsonSchema {
  type?: unknown
  enum?: unknown
  const?: unknown
  default?: unknown
  properties?: unknown
  required?: unknown
  items?: unknown
  minimum?: unknown
  anyOf?: unknown
  oneOf?: unknown
}

/**
 * The call that the demo makes: the first tool (or the one that is forced), when the model is `tools`, when a tool is
 * demanded, or when the user's words ask for one. After a tool's result it answers in words.
 */
export function demoToolCall(request: DemoRequest): DemoToolCall | undefined {
  const { tools, toolChoice, question, afterTool, model } = request
  if (!tools.length || toolChoice === 'none' || afterTool) return undefined
  const forced = (toolChoice as { function?: { name?: unknown } } | null | undefined)?.function?.name
  const asked = forced !== undefined || toolChoice === 'required' || model === 'tools' || asksFor(tools, question)
  if (!asked) return undefined
  const tool = tools.find(({ name }) => name === forced) ?? tools[0]
  return tool && { name: tool.name, arguments: JSON.stringify(valueFor(tool.parameters, question, 0) ?? {}) }
}

/** Whether the words speak of tools, or of what one of the tools is named after. */
function asksFor(tools: DemoRequest['tools'], question: string): boolean {
  const words = new Set(question.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [])
  if (['tool', 'tools', 'function', 'call', 'use'].some(word => words.has(word))) return true
  return tools.some(({ name }) =>
    name
      .toLowerCase()
      .split(/[^\p{L}\p{N}]+/u)
      .some(part => part.length > 3 && words.has(part)),
  )
}

/** The simplest value that a schema allows. */
function valueFor(schema: unknown, question: string, depth: number): unknown {
  if (typeof schema !== 'object' || schema === null || depth > 8) return {}
  const given = schema as JsonSchema
  if (given.const !== undefined) return given.const
  if (given.default !== undefined) return given.default
  if (Array.isArray(given.enum) && given.enum.length) return given.enum[0]
  const choices = given.anyOf ?? given.oneOf
  if (Array.isArray(choices) && choices.length) return valueFor(choices[0], question, depth + 1)
  const type = Array.isArray(given.type) ? given.type[0] : given.type
  switch (type) {
    case 'string':
      return place(question) ?? 'example'
    case 'integer':
    case 'number':
      return typeof given.minimum === 'number' ? given.minimum : 1
    case 'boolean':
      return true
    case 'null':
      return null
    case 'array':
      return [valueFor(given.items ?? { type: 'string' }, question, depth + 1)]
    default:
      return members(given, question, depth)
  }
}

function members({ properties, required }: JsonSchema, question: string, depth: number): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  if (typeof properties !== 'object' || properties === null) return out
  const wanted = Array.isArray(required) && required.length ? required : Object.keys(properties)
  for (const [name, schema] of Object.entries(properties)) {
    if (wanted.includes(name)) out[name] = valueFor(schema, question, depth + 1)
  }
  return out
}

/** A name in the question, as a person would take it for the argument: "the weather in Lisbon?" */
const place = (question: string): string | undefined =>
  /\b(?:in|at|for|of|on)\s+(\p{Lu}[\p{L}\p{N}-]*)/u.exec(question)?.[1]
