import { join } from 'node:path'
import type { Conversation, JsonObject } from '../../../src/conversation/conversation.ts'
import type { Event } from '../../../src/conversation/events.ts'
import type { Memory, ReadContext } from '../../../src/dialects/dialect.ts'
import { gemini } from '../../../src/dialects/gemini/index.ts'
import type { GenerateContentRequest } from '../../../src/dialects/gemini/types.ts'

const folder = join(import.meta.dir, '../../fixtures/gemini')
const text = (name: string) => Bun.file(join(folder, name)).text()

export const context = (memory: Memory = {}): ReadContext => ({ memory, quirks: [] })
export const json = async (name: string): Promise<unknown> => JSON.parse(await text(`${name}.json`))

/** All events of a recorded stream, its end included. */
export async function events(name: string, given: ReadContext = context()): Promise<Event[]> {
  const reader = gemini.reader(given)
  const blocks = (await text(`${name}.sse`)).split('\r\n\r\n').filter(Boolean)
  return [...blocks.flatMap(block => reader.read({ data: block.replace(/^data: ?/, '') })), ...reader.end()]
}

/** The events of messages written in place. */
export function read(messages: object[], given: ReadContext = context()): Event[] {
  const reader = gemini.reader(given)
  return [...messages.flatMap(message => reader.read({ data: JSON.stringify(message) })), ...reader.end()]
}

export function conversation(given: Partial<Conversation> = {}): Conversation {
  return {
    turns: [{ role: 'user', parts: [{ type: 'text', text: 'Who keeps the gate?' }] }],
    tools: [],
    output: { type: 'text' },
    sampling: {},
    stream: false,
    includeUsage: false,
    unknown: {},
    ...given,
  }
}

export function write(given: Partial<Conversation> = {}, model = 'gemini-2.5-flash') {
  const written = gemini.writeRequest(conversation(given), { model })
  return { ...written, body: written.body as unknown as GenerateContentRequest }
}

/** What a named field holds; the test says what it expects it to be. */
export const at = <T = JsonObject>(value: unknown, path: string): T =>
  path.split('.').reduce<unknown>((inner, key) => (inner as JsonObject | undefined)?.[key], value) as T
