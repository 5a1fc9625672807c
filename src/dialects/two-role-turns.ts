import type { Turn } from '../conversation/conversation.ts'
import type { Part, ReasoningPart } from '../conversation/parts.ts'
import { alternate } from '../conversation/turns.ts'

export interface TwoRoleTurn {
  role: 'user' | 'assistant'
  parts: Part[]
}

/**
 * What stands in for a user's turn where the target demands one and the conversation begins with the assistant or says
 * nothing at all. A single full stop is what other gateways use too: it adds no meaning, and it is no blank.
 */
export const FILLER = '.'

/** The last text of a prefilled answer may not end in whitespace. */
function trimPrefill(turn: TwoRoleTurn | undefined): void {
  const last = turn?.role === 'assistant' ? turn.parts.at(-1) : undefined
  if (last?.type === 'text') turn!.parts[turn!.parts.length - 1] = { ...last, text: last.text.trimEnd() }
}

/**
 * Turns for Anthropic and Converse: alternating, the user's first, without blank texts (T52, T74), results first (T70),
 * an assistant's calls behind its other parts, reasoning only where it can be replayed.
 *
 * @param dropped is told where reasoning had to be left out
 */
export function twoRoleTurns(
  turns: readonly Turn[],
  replayable: (part: ReasoningPart) => boolean,
  dropped: Set<string>,
): TwoRoleTurn[] {
  const kept = turns.map(turn => ({
    ...turn,
    parts: turn.parts.filter(part => {
      if (part.type === 'text' || part.type === 'refusal') return part.text.trim() !== ''
      if (part.type !== 'reasoning') return true
      const keep = turn.role === 'assistant' && replayable(part)
      if (!keep && part.text) dropped.add('messages[].reasoning_content')
      return keep
    }),
  }))
  const merged: TwoRoleTurn[] = alternate(kept).map(({ role, parts }) => ({
    role,
    parts:
      role === 'user'
        ? parts
        : [...parts.filter(part => part.type !== 'tool-call'), ...parts.filter(part => part.type === 'tool-call')],
  }))
  if (merged[0]?.role !== 'user') merged.unshift({ role: 'user', parts: [{ type: 'text', text: FILLER }] })
  trimPrefill(merged.at(-1))
  return merged
}
