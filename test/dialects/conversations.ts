import type { Conversation, Turn } from '../../src/conversation/conversation.ts'

/** A conversation with nothing in it but what a test gives. */
export function conversation(given: Partial<Conversation> = {}): Conversation {
  return {
    turns: [user('Hi')],
    tools: [],
    output: { type: 'text' },
    sampling: {},
    stream: false,
    includeUsage: false,
    unknown: {},
    ...given,
  }
}

export const user = (text: string): Turn => ({ role: 'user', parts: [{ type: 'text', text }] })
export const assistant = (text: string): Turn => ({ role: 'assistant', parts: [{ type: 'text', text }] })
export const system = (text: string): Turn => ({ role: 'system', parts: [{ type: 'text', text }] })
export const calling = (...calls: [id: string, name: string, args?: string][]): Turn => ({
  role: 'assistant',
  parts: calls.map(([id, name, args = '{}']) => ({ type: 'tool-call', id, name, arguments: args })),
})
export const result = (id: string, text: string, failed?: boolean): Turn => ({
  role: 'tool',
  parts: [{ type: 'tool-result', id, content: [{ type: 'text', text }], ...(failed && { failed }) }],
})

export const weather = {
  name: 'get_weather',
  description: 'Weather of a place',
  parameters: { type: 'object', properties: { place: { type: 'string' } }, required: ['place'] },
}

/** The error that a function throws, to look at its members. */
export function thrown(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}
