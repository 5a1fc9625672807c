import type { Conversation, Turn } from './conversation.ts'
import type { Part, TextPart, ToolResultPart } from './parts.ts'

/** Splits off what stands in system turns, in order, for dialects with one place for it (T65). The input stays as it is. */
export function hoistSystem(turns: readonly Turn[]): { system: TextPart[]; rest: Turn[] } {
  const system: TextPart[] = []
  const rest: Turn[] = []
  for (const turn of turns) {
    if (turn.role !== 'system') rest.push(turn)
    else for (const part of turn.parts) if (part.type === 'text' && part.text.trim()) system.push(part)
  }
  return { system, rest }
}

/**
 * Turns for dialects that know only `user` and `assistant` and want them to alternate: results of tools become user
 * parts, neighbours of one role are joined, and results stand before other parts of their turn (T53, T70).
 * Within a turn the results follow the order of the calls that they answer (T47). Turns left without parts vanish (T52).
 */
export function alternate(turns: readonly Turn[]): { role: 'user' | 'assistant'; parts: Part[] }[] {
  const merged: { role: 'user' | 'assistant'; parts: Part[] }[] = []
  for (const turn of turns) {
    const role = turn.role === 'assistant' ? 'assistant' : 'user'
    if (!turn.parts.length) continue
    const last = merged.at(-1)
    if (last?.role === role) last.parts.push(...turn.parts)
    else merged.push({ role, parts: [...turn.parts] })
  }
  let calls: string[] = []
  for (const turn of merged) {
    if (turn.role === 'assistant') {
      calls = turn.parts.filter(part => part.type === 'tool-call').map(part => part.id)
      continue
    }
    const results = turn.parts.filter((part): part is ToolResultPart => part.type === 'tool-result')
    if (!results.length) continue
    const place = (result: ToolResultPart) => {
      const at = calls.indexOf(result.id)
      return at < 0 ? calls.length : at
    }
    results.sort((a, b) => place(a) - place(b))
    turn.parts = [...results, ...turn.parts.filter(part => part.type !== 'tool-result')]
  }
  return merged
}

/** The name of each tool call in the history by its id: Gemini and Ollama answer calls by name (trap 30). */
export function callNames(conversation: Pick<Conversation, 'turns'>): Map<string, string> {
  const names = new Map<string, string>()
  for (const turn of conversation.turns)
    for (const part of turn.parts) if (part.type === 'tool-call') names.set(part.id, part.name)
  return names
}

/** Whether the history holds calls or results, for dialects that then insist on declared tools (T54). */
export function mentionsTools(conversation: Pick<Conversation, 'turns'>): boolean {
  return conversation.turns.some(turn =>
    turn.parts.some(part => part.type === 'tool-call' || part.type === 'tool-result'),
  )
}

/** The plain text of parts, joined without a separator. */
export function textOf(parts: readonly Part[]): string {
  let text = ''
  for (const part of parts) if (part.type === 'text' || part.type === 'refusal') text += part.text
  return text
}

/**
 * The arguments of a call as the object that dialects with structured arguments want: what is not an object, or not
 * JSON at all, becomes an empty one (T57, T64).
 */
export function argumentsObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return value && typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
