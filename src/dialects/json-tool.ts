import type { Conversation, JsonObject, Tool } from '../conversation/conversation.ts'
import { objectRoot } from './object-schema.ts'

/**
 * The tool that stands in for a JSON schema on models without one (T73): the model is made to call it, and its input is
 * the answer. Its name differs from all of the caller's tools.
 */
export function jsonTool(conversation: Conversation, output: { description?: string; schema: JsonObject }): Tool {
  let name = 'json_answer'
  while (conversation.tools.some(tool => tool.name === name)) name += '_'
  const description = output.description ?? 'Gives the answer: call this once, with the whole answer as the input.'
  return { name, description, parameters: objectRoot(output.schema) }
}
