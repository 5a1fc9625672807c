import type { Conversation, JsonObject } from '../../conversation/conversation.ts'
import { plainSchema, usableTools } from '../left-out.ts'

/**
 * Tools and the choice among them: `REQUIRED` and `NONE`, left out for `auto`; a named tool stands alone and is required.
 * `strict_tools` holds for all tools at once, and Cohere then wants a required parameter in each.
 * @see https://docs.cohere.com/v2/docs/tool-use-usage-patterns
 */
export function writeTools(conversation: Conversation): { fields: JsonObject; dropped: string[] } {
  const { tools, choice } = usableTools(conversation)
  if (!tools.length) return { fields: {}, dropped: [] }
  const strict = tools.every(tool => {
    const { required } = tool.parameters ?? {}
    return tool.strict && Array.isArray(required) && required.length > 0
  })
  return {
    fields: {
      tools: tools.map(({ name, description, parameters }) => ({
        type: 'function',
        function: { name, ...(description !== undefined && { description }), parameters: plainSchema(parameters) },
      })),
      ...(choice !== 'auto' && { tool_choice: choice === 'none' ? 'NONE' : 'REQUIRED' }),
      ...(strict && { strict_tools: true }),
    },
    dropped: !strict && tools.some(tool => tool.strict) ? ['tools[].function.strict'] : [],
  }
}
