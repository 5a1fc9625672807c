import type { JsonObject } from '../../conversation/conversation.ts'
import type { Usage } from '../../conversation/reply.ts'
import type { Watch } from '../dialect.ts'
import { readTokenUsage } from './token-usage.ts'

interface Response extends JsonObject {
  usage?: unknown
  service_tier?: unknown
  output?: Item[] | null
  tool_usage?: { web_search?: { num_requests?: number } | null } | null
}

interface Item {
  type?: string
  action?: { type?: string } | null
}

interface Message extends Response {
  type?: string
  /** The response so far, in the first messages of a stream and in the last. */
  response?: Response
}

const ENDS = new Set(['response.completed', 'response.incomplete', 'response.failed', 'error'])

/**
 * Reads along with OpenAI's Responses. The last message repeats the whole answer and the tools of the request, so that it
 * is often larger than what is kept: then its counts, which come last, are all that is known of it, and searches in files
 * are not.
 */
export const openaiResponses: Watch = {
  members: ['usage', 'model', 'service_tier', 'tool_usage'],
  depth: 2,
  mention: '"usage"',
  model: ({ model, response }: Message) => (response?.model ?? model) as string | undefined,
  usage(message: Message) {
    const response = message.response ?? message
    const usage = readTokenUsage(response.usage, response.service_tier)
    if (usage) countSearches(response, usage)
    return usage
  },
  end({ type, usage }: Message) {
    if (type === undefined) return usage ? 'finished' : undefined
    return ENDS.has(type) ? 'marked' : undefined
  },
}

/**
 * Searches of OpenAI's own tools, where the usage itself does not count them. Of what a web search does only `search` is
 * charged, not that a page was opened or looked through.
 * @see https://platform.openai.com/docs/guides/tools-web-search#output-and-citations
 */
function countSearches({ output, tool_usage }: Response, usage: Usage): void {
  let web = 0
  let files = 0
  if (Array.isArray(output))
    for (const item of output) {
      if (item?.type === 'file_search_call') files++
      else if (item?.type === 'web_search_call' && (item.action?.type ?? 'search') === 'search') web++
    }
  const requests = tool_usage?.web_search?.num_requests
  if (requests || web) usage.webSearches ??= requests || web
  if (files) usage.fileSearches ??= files
}
