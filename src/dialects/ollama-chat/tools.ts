import type { Conversation, JsonObject } from '../../conversation/conversation.ts'
import { plainSchema, usableTools } from '../left-out.ts'

/**
 * Ollama has tools but no choice among them: `none` leaves them out, a named tool stands alone, and that one must be
 * called can only be asked for, so the wish is told as dropped.
 */
export function writeTools(conversation: Conversation): { fields: JsonObject; dropped: string[] } {
  const { tools, choice } = usableTools(conversation)
  if (!tools.length || choice === 'none') return { fields: {}, dropped: [] }
  const dropped: string[] = []
  if (choice === 'required') dropped.push('tool_choice')
  if (tools.some(tool => tool.strict)) dropped.push('tools[].function.strict')
  return {
    fields: {
      tools: tools.map(({ name, description, parameters }) => ({
        type: 'function',
        function: { name, ...(description !== undefined && { description }), parameters: plainSchema(parameters) },
      })),
    },
    dropped,
  }
}
