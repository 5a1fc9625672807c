import type { Conversation, JsonObject } from '../../conversation/conversation.ts'
import { plainSchema, usableTools } from '../left-out.ts'

/** Tools in OpenAI's shape, the choice as one word: a named tool stands alone and is required, as Cloudflare's own client does it. The schema of older models wants a description. */
export function writeTools(conversation: Conversation): { fields: JsonObject; dropped: string[] } {
  const { tools, choice } = usableTools(conversation)
  if (!tools.length) return { fields: {}, dropped: [] }
  return {
    fields: {
      tools: tools.map(({ name, description, parameters }) => ({
        type: 'function',
        function: { name, description: description ?? '', parameters: plainSchema(parameters) },
      })),
      ...(conversation.toolChoice && { tool_choice: choice }),
    },
    dropped: tools.some(tool => tool.strict) ? ['tools[].function.strict'] : [],
  }
}
