/** What the demo provider reads of a request in OpenAI's format. It is lenient: whatever is missing is empty. */
export interface DemoRequest {
  model: string
  stream: boolean
  includeUsage: boolean
  /** The text of the last message of the user. */
  question: string
  /** Everything that was said, for counting. */
  everything: string
  /** Whether the last message is a tool's result. */
  afterTool: boolean
  tools: { name: string; parameters: unknown }[]
  toolChoice: unknown
}

interface WireMessage {
  role?: unknown
  content?: unknown
}

interface WireRequest {
  model?: unknown
  stream?: unknown
  stream_options?: { include_usage?: unknown } | null
  messages?: unknown
  tools?: unknown
  tool_choice?: unknown
}

const textOf = (content: unknown): string => {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map(part => (typeof part?.text === 'string' ? part.text : '')).join('')
}

const toolsOf = (tools: unknown): DemoRequest['tools'] => {
  if (!Array.isArray(tools)) return []
  return tools.flatMap((tool: { function?: { name?: unknown; parameters?: unknown } } | null) => {
    const name = tool?.function?.name
    return typeof name === 'string' ? [{ name, parameters: tool?.function?.parameters }] : []
  })
}

export function readDemoRequest(body: unknown): DemoRequest {
  const { model, stream, stream_options, messages, tools, tool_choice } = (body ?? {}) as WireRequest
  const said: WireMessage[] = Array.isArray(messages)
    ? messages.filter(message => typeof message === 'object' && message)
    : []
  return {
    model: typeof model === 'string' ? model.replace(/^demo\//, '') : '',
    stream: stream === true,
    includeUsage: stream_options?.include_usage === true,
    question: textOf(said.findLast(message => message.role === 'user')?.content),
    everything: said.map(message => textOf(message.content)).join('\n'),
    afterTool: said.at(-1)?.role === 'tool',
    tools: toolsOf(tools),
    toolChoice: tool_choice,
  }
}
