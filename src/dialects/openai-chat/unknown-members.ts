import type { JsonObject } from '../../conversation/conversation.ts'

/** Members of a message, or of a delta, that are read. */
export const MESSAGE: ReadonlySet<string> = new Set([
  'role',
  'content',
  'refusal',
  'tool_calls',
  'reasoning_content',
  'reasoning_details',
  'annotations',
  'extra_content',
])

/** The members that are not among the known ones and say something; undefined where there are none. */
export function unknownIn(wire: JsonObject, known: ReadonlySet<string>): JsonObject | undefined {
  let found: JsonObject | undefined
  for (const name in wire) {
    const value = wire[name]
    if (known.has(name) || value === null || value === undefined) continue
    found ??= {}
    found[name] = value
  }
  return found
}
