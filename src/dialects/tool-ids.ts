import type { Conversation } from '../conversation/conversation.ts'
import type { Part } from '../conversation/parts.ts'
import { shortHash } from './tool-names.ts'

/** What a target takes as the id of a tool call in the history. */
export interface ToolIdRule {
  /** Anchored at both ends; bounds the length too. */
  pattern: RegExp
  /** Makes an id that fits, always the same one for the same text. */
  make(id: string): string
}

/** For targets that take any id, as long as no two calls share one. */
export const ANY_ID: ToolIdRule = { pattern: /./, make: id => id }

/** Makes ids of `[a-zA-Z0-9_-]` of at most `max` characters: a readable piece, then a hash. */
export function readableId(max: number): (id: string) => string {
  return id => `${id.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, max - 9)}_${shortHash(id)}`
}

/** Makes ids of exactly `length` (at most 9) letters and digits, as Mistral's models want them (T76). */
export function alphanumericId(length: number): (id: string) => string {
  return id => {
    const digest = new Bun.CryptoHasher('sha256').update(id).digest('hex').slice(0, 13)
    return Number.parseInt(digest, 16).toString(36).padStart(length, '0').slice(-length)
  }
}

/**
 * Gives every tool call of the history an id that the target takes, and its result the same one (trap 25). An id that
 * two calls share is told apart too, because targets refuse it (trap 24); results then belong to the calls in order.
 *
 * @returns the very conversation given where nothing had to change
 */
export function fitToolIds(conversation: Conversation, rule: ToolIdRule): Conversation {
  const taken = new Set<string>()
  const last = new Map<string, string>()
  const waiting = new Map<string, string[]>()
  let changed = false

  const idOfCall = (id: string): string => {
    let fitting = rule.pattern.test(id) ? id : rule.make(id)
    for (let again = 2; taken.has(fitting); again++) fitting = rule.make(`${id}#${again}`)
    taken.add(fitting)
    last.set(id, fitting)
    const queue = waiting.get(id)
    if (queue) queue.push(fitting)
    else waiting.set(id, [fitting])
    return fitting
  }
  const idOfResult = (id: string): string =>
    waiting.get(id)?.shift() ?? last.get(id) ?? (rule.pattern.test(id) ? id : rule.make(id))
  const fitPart = (part: Part): Part => {
    if (part.type !== 'tool-call' && part.type !== 'tool-result') return part
    const id = part.type === 'tool-call' ? idOfCall(part.id) : idOfResult(part.id)
    if (id === part.id) return part
    changed = true
    return { ...part, id }
  }

  const turns = conversation.turns.map(turn => ({ ...turn, parts: turn.parts.map(fitPart) }))
  return changed ? { ...conversation, turns } : conversation
}

/**
 * Keeps the ids of an answer's calls apart: gives back each id, or one made from `prefix` where it is missing or has
 * come before (trap 24).
 */
export function uniqueIds(prefix: string): (id: string | undefined) => string {
  const taken = new Set<string>()
  return id => {
    let fresh = id || `${prefix}${taken.size}`
    while (taken.has(fresh)) fresh += `_${taken.size}`
    taken.add(fresh)
    return fresh
  }
}
