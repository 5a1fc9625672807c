import type { Conversation, JsonObject } from '../../../src/conversation/conversation.ts'
import type { Event } from '../../../src/conversation/events.ts'
import type { Memory, ReadContext } from '../../../src/dialects/dialect.ts'
import { gemini } from '../../../src/dialects/gemini/index.ts'
import type { GenerateContentRequest } from '../../../src/dialects/gemini/types.ts'
import { conversation } from '../conversations.ts'
import { frames, read as readFrames, json as readJson } from '../replay.ts'

export { conversation }

export const context = (memory: Memory = {}): ReadContext => ({ memory, quirks: [] })
export const json = async (name: string): Promise<unknown> => readJson('gemini', `${name}.json`)

/** All events of a recorded stream, its end included. */
export async function events(name: string, given: ReadContext = context()): Promise<Event[]> {
  return readFrames(gemini, frames(gemini, `${name}.sse`), given)
}

/** The events of messages written in place. */
export const read = (messages: object[], given: ReadContext = context()): Event[] =>
  readFrames(
    gemini,
    messages.map(message => ({ data: JSON.stringify(message) })),
    given,
  )

export function write(given: Partial<Conversation> = {}, model = 'gemini-2.5-flash') {
  const written = gemini.writeRequest(conversation(given), { model })
  return { ...written, body: written.body as unknown as GenerateContentRequest }
}

/** What a named field holds; the test says what it expects it to be. */
export const at = <T = JsonObject>(value: unknown, path: string): T =>
  path.split('.').reduce<unknown>((inner, key) => (inner as JsonObject | undefined)?.[key], value) as T
