import type { JsonObject } from '../../conversation/conversation.ts'
import type { Quirk } from '../dialect.ts'
import { alphanumericId } from '../tool-ids.ts'
import type { Message } from './types.ts'

/** Corrections of requests for servers that take OpenAI's format with exceptions. Each gives undefined when it changed nothing. */

const messagesOf = (body: JsonObject): (Message & JsonObject)[] => (Array.isArray(body.messages) ? body.messages : [])

/** Gives a field another name, where the target has one for the same thing. */
export function renamed(from: string, to: string, when: (model: string) => boolean = () => true): Quirk {
  return {
    name: `${from}-is-${to}`,
    request(body, model) {
      if (body[from] === undefined || !when(model)) return undefined
      const value = body[from]
      delete body[from]
      if (body[to] === undefined || body[to] === null) body[to] = value
      return []
    },
  }
}

/** Leaves out fields that the target refuses and whose loss is harmless; the client is told. */
export function without(...fields: string[]): Quirk {
  return {
    name: `without-${fields.join('-')}`,
    request(body) {
      const dropped = fields.filter(field => body[field] !== undefined && body[field] !== null)
      const present = fields.filter(field => field in body)
      for (const field of present) delete body[field]
      return present.length ? dropped : undefined
    },
  }
}

/** The cap is called `max_tokens` here. */
export const maxTokens = renamed('max_completion_tokens', 'max_tokens')

/** OpenAI's reasoning models refuse `max_tokens` (wire-formats 1.1); every model of theirs takes the newer name. */
export const maxCompletionTokens = renamed('max_tokens', 'max_completion_tokens')
export const maxCompletionTokensForReasoning = renamed('max_tokens', 'max_completion_tokens', model =>
  /^(ft:)?(o\d|gpt-[5-9]|gpt-\d\d|codex)/.test(model),
)

/** Servers that know no `developer` role take the same words from the `system` (trap 18). */
export const noDeveloperRole: Quirk = {
  name: 'no-developer-role',
  request(body) {
    const developers = messagesOf(body).filter(message => message.role === 'developer')
    for (const message of developers) message.role = 'system'
    return developers.length ? [] : undefined
  },
}

/** Members of messages that are ours or another vendor's, which a strict server answers with a 400. */
export function plainMessages(...members: string[]): Quirk {
  return {
    name: 'plain-messages',
    request(body) {
      const dropped = new Set<string>()
      let changed = false
      for (const message of messagesOf(body))
        for (const member of members)
          if (member in message) {
            if (message[member] !== null) dropped.add(`messages[].${member}`)
            delete message[member]
            changed = true
          }
      return changed ? [...dropped] : undefined
    },
  }
}

/** What other routes add to an assistant's message, and OpenAI does not know. */
export const EXTENSIONS = ['reasoning_content', 'reasoning_details', 'extra_content']

/** Mistral takes only ids of nine letters and digits; call and answer are rewritten alike (T76). */
export const nineCharacterIds: Quirk = {
  name: 'nine-character-ids',
  request(body) {
    let changed = false
    const make = alphanumericId(9)
    const fit = (id: string) => {
      if (/^[a-zA-Z0-9]{9}$/.test(id)) return id
      changed = true
      return make(id)
    }
    for (const message of messagesOf(body)) {
      for (const call of message.tool_calls ?? []) if (call.id) call.id = fit(call.id)
      if (message.tool_call_id) message.tool_call_id = fit(message.tool_call_id)
    }
    return changed ? [] : undefined
  },
}

/** Some servers refuse an assistant's message that has neither text nor calls (T74). */
export const noEmptyAssistant: Quirk = {
  name: 'no-empty-assistant',
  request(body) {
    const messages = messagesOf(body)
    const kept = messages.filter(message => {
      if (message.role !== 'assistant' || message.tool_calls?.length || message.prefix) return true
      return Array.isArray(message.content) ? message.content.length > 0 : Boolean(message.content)
    })
    if (kept.length === messages.length) return undefined
    body.messages = kept
    return []
  },
}

/** An empty list of tools is refused by several servers, and a choice without tools by most (T100). */
export const noEmptyTools: Quirk = {
  name: 'no-empty-tools',
  request(body) {
    if (!Array.isArray(body.tools) || body.tools.length) return undefined
    delete body.tools
    delete body.tool_choice
    delete body.parallel_tool_calls
    return []
  },
}
