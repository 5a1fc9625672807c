import type { JsonObject } from '../../conversation/conversation.ts'
import type { Corrected, Quirk } from '../dialect.ts'
import { alphanumericId } from '../tool-ids.ts'
import type { Message } from './types.ts'

/** Corrections of requests for servers that take OpenAI's format with exceptions. */

type WireMessage = Message & JsonObject

const messagesOf = (body: JsonObject): WireMessage[] => (Array.isArray(body.messages) ? body.messages : [])

/** A quirk of single messages: `correct` gives a changed copy, or the message itself where nothing is wrong with it. */
function eachMessage(
  name: string,
  correct: (message: WireMessage, drop: (field: string) => void) => WireMessage,
): Quirk {
  return {
    name,
    request(body) {
      const given = messagesOf(body)
      // Nothing is copied until something is found: most requests need no correction.
      let messages: WireMessage[] | undefined
      const dropped = new Set<string>()
      for (let at = 0; at < given.length; at++) {
        const corrected = correct(given[at]!, field => dropped.add(`messages[].${field}`))
        if (corrected === given[at]) continue
        messages ??= [...given]
        messages[at] = corrected
      }
      return messages && { body: { ...body, messages }, dropped: [...dropped] }
    },
  }
}

function omit(body: JsonObject, fields: readonly string[]): JsonObject {
  const rest = { ...body }
  for (const field of fields) delete rest[field]
  return rest
}

/** Gives a field another name, where the target has one for the same thing. */
export function renamed(from: string, to: string, when: (model: string) => boolean = () => true): Quirk {
  return {
    name: `${from}-is-${to}`,
    request(body, model): Corrected | undefined {
      if (body[from] === undefined || !when(model)) return undefined
      const rest = omit(body, [from])
      return { body: { ...rest, [to]: rest[to] ?? body[from] }, dropped: [] }
    },
  }
}

/** Leaves out fields that the target refuses and whose loss is harmless; the client is told. */
export function without(...fields: string[]): Quirk {
  return {
    name: `without-${fields.join('-')}`,
    request(body) {
      const present = fields.filter(field => field in body)
      if (!present.length) return undefined
      return { body: omit(body, present), dropped: present.filter(field => body[field] !== null) }
    },
  }
}

/** The cap is called `max_tokens` here. */
export const maxTokens = renamed('max_completion_tokens', 'max_tokens')

/** The cap is called `max_completion_tokens` here, and OpenAI's reasoning models refuse the old name (wire-formats 1.1). */
export const maxCompletionTokens = renamed('max_tokens', 'max_completion_tokens')
export const maxCompletionTokensForReasoning = renamed('max_tokens', 'max_completion_tokens', model =>
  /^(ft:)?(o\d|gpt-[5-9]|gpt-\d\d|codex)/.test(model),
)

/** Servers that know no `developer` role take the same words from the `system` (trap 18). */
export const noDeveloperRole = eachMessage('no-developer-role', message =>
  message.role === 'developer' ? { ...message, role: 'system' } : message,
)

/** Members of messages that are ours or another vendor's, which a strict server answers with a 400. */
export function plainMessages(...members: string[]): Quirk {
  return eachMessage('plain-messages', (message, drop) => {
    if (!members.some(member => member in message)) return message
    const present = members.filter(member => member in message)
    for (const member of present) if (message[member] !== null) drop(member)
    return omit(message, present) as WireMessage
  })
}

/** What other routes add to an assistant's message, and OpenAI does not know. */
export const EXTENSIONS = ['reasoning_content', 'reasoning_details', 'extra_content']

/** The same for the calls in it: Google's signatures travel there. */
export const plainCalls = eachMessage('plain-calls', (message, drop) => {
  if (!message.tool_calls?.some(call => call.extra_content)) return message
  drop('tool_calls[].extra_content')
  return { ...message, tool_calls: message.tool_calls.map(({ extra_content: _, ...call }) => call) }
})

const NINE = /^[a-zA-Z0-9]{9}$/
const makeNine = alphanumericId(9)
const nine = (id: string) => (NINE.test(id) ? id : makeNine(id))

/** Mistral takes only ids of nine letters and digits; call and answer are rewritten alike (T76). */
export const nineCharacterIds = eachMessage('nine-character-ids', message => {
  if (message.tool_call_id && !NINE.test(message.tool_call_id))
    return { ...message, tool_call_id: nine(message.tool_call_id) }
  if (!message.tool_calls?.some(call => call.id && !NINE.test(call.id))) return message
  return { ...message, tool_calls: message.tool_calls.map(call => (call.id ? { ...call, id: nine(call.id) } : call)) }
})

/** Some servers refuse an assistant's message that has neither text nor calls (T74). */
export const noEmptyAssistant: Quirk = {
  name: 'no-empty-assistant',
  request(body) {
    const messages = messagesOf(body)
    const kept = messages.filter(message => {
      if (message.role !== 'assistant' || message.tool_calls?.length || message.prefix) return true
      return Boolean(message.content?.length)
    })
    return kept.length === messages.length ? undefined : { body: { ...body, messages: kept }, dropped: [] }
  },
}

/** An empty list of tools is refused by several servers, and a choice without tools by most (T100). */
export const noEmptyTools: Quirk = {
  name: 'no-empty-tools',
  request(body) {
    if (!Array.isArray(body.tools) || body.tools.length) return undefined
    return { body: omit(body, ['tools', 'tool_choice', 'parallel_tool_calls']), dropped: [] }
  },
}
