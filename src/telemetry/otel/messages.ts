import type { Conversation } from '../../conversation/conversation.ts'
import type { Part, Source } from '../../conversation/parts.ts'
import type { Finish, Reply } from '../../conversation/reply.ts'

/**
 * Conversations as the GenAI conventions write them: messages of parts, as JSON.
 * @see https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-input-messages.json
 */
type SpanPart = Record<string, unknown> & { type: string }

const FINISH: Readonly<Record<Finish, string>> = {
  stop: 'stop',
  length: 'length',
  'tool-calls': 'tool_call',
  'content-filter': 'content_filter',
  'function-call': 'tool_call',
  error: 'error',
}

/** `gen_ai.system_instructions` and `gen_ai.input.messages`. */
export function inputMessages({ turns }: Conversation): { system?: string; messages: string } {
  const system = turns.filter(({ role }) => role === 'system').flatMap(({ parts }) => parts.map(partOf))
  const messages = turns
    .filter(({ role }) => role !== 'system')
    .map(({ role, parts, name }) => ({ role, parts: parts.map(partOf), ...(name !== undefined && { name }) }))
  return { ...(system.length && { system: JSON.stringify(system) }), messages: JSON.stringify(messages) }
}

/** `gen_ai.output.messages`. */
export function outputMessages({ choices }: Reply): string {
  return JSON.stringify(
    choices.map(({ parts, finish }) => ({
      role: 'assistant',
      parts: parts.map(partOf),
      finish_reason: FINISH[finish],
    })),
  )
}

/** `gen_ai.response.finish_reasons`. */
export const finishReasons = (finish: readonly Finish[]): string[] => finish.map(one => FINISH[one])

function partOf(part: Part): SpanPart {
  switch (part.type) {
    case 'text':
      return { type: 'text', content: part.text }
    case 'refusal':
      return { type: 'text', content: part.text }
    case 'reasoning':
      return { type: 'reasoning', content: part.text }
    case 'tool-call':
      return { type: 'tool_call', id: part.id, name: part.name, arguments: parsed(part.arguments) }
    case 'tool-result':
      return { type: 'tool_call_response', id: part.id, response: part.content.map(partOf) }
    case 'image':
    case 'audio':
      return sourceOf(part.source, part.type)
    case 'file':
      return sourceOf(part.source, 'file')
    default:
      return { type: (part as { type: string }).type }
  }
}

/** A picture or a sound is told of and not sent: spans have no room for it. */
function sourceOf(source: Source, modality: string): SpanPart {
  switch (source.kind) {
    case 'url':
      return { type: 'uri', modality, uri: source.url.startsWith('data:') ? 'data:' : source.url }
    case 'file-id':
      return { type: 'file', modality, file_id: source.id }
    case 'text':
      return { type: 'text', content: source.text }
    default:
      return { type: 'blob', modality, mime_type: source.mediaType, bytes: Math.floor((source.data.length * 3) / 4) }
  }
}

/** The arguments as an object, or as the model wrote them where that is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
