import type { Conversation } from '../conversation/conversation.ts'
import type { Part } from '../conversation/parts.ts'

/** What a target takes as the name of a tool. */
export interface ToolNameRule {
  /** Anchored at both ends; may bound the length too. */
  pattern: RegExp
  max: number
}

/** Eight hexadecimal digits that stand for a text, the same in every process. */
export function shortHash(text: string): string {
  return new Bun.CryptoHasher('sha256').update(text).digest('hex').slice(0, 8)
}

const fits = (name: string, rule: ToolNameRule) => name.length <= rule.max && rule.pattern.test(name)

/** A readable piece of the name, then a hash of the whole of it, so that two long names with one beginning stay apart. */
function shorten(name: string, rule: ToolNameRule): string {
  const hash = shortHash(name)
  const readable = name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, rule.max - hash.length - 1)
  const short = `${readable}_${hash}`
  if (fits(short, rule)) return short
  // The target's alphabet is narrower still, or a name must begin with a letter.
  const narrow = `t_${short.replace(/[^a-zA-Z0-9]/g, '_')}`.slice(0, rule.max - hash.length - 1)
  return `${narrow}_${hash}`
}

/**
 * Gives every tool a name that the target takes: in the declarations, the choice, `allowed_tools` and the history (T56).
 * The same name always becomes the same short one, so that provider-side prompt caches stay warm.
 *
 * @returns the conversation, which is the very one given where nothing had to change, and what to restore in the
 * answer: short name → the caller's name
 */
export function shortenToolNames(
  conversation: Conversation,
  rule: ToolNameRule,
): { conversation: Conversation; names?: Map<string, string> } {
  const names = new Map<string, string>()
  const rename = (name: string) => {
    if (fits(name, rule)) return name
    const short = shorten(name, rule)
    names.set(short, name)
    return short
  }
  const renamePart = (part: Part): Part => {
    if (part.type === 'tool-call') {
      const name = rename(part.name)
      return name === part.name ? part : { ...part, name }
    }
    if (part.type === 'tool-result' && part.name !== undefined) {
      const name = rename(part.name)
      return name === part.name ? part : { ...part, name }
    }
    return part
  }
  const { toolChoice, allowedTools } = conversation
  const renamed: Conversation = {
    ...conversation,
    tools: conversation.tools.map(tool => ({ ...tool, name: rename(tool.name) })),
    turns: conversation.turns.map(turn => ({ ...turn, parts: turn.parts.map(renamePart) })),
    ...(toolChoice?.type === 'named' && { toolChoice: { type: 'named' as const, name: rename(toolChoice.name) } }),
    ...(allowedTools && { allowedTools: allowedTools.map(rename) }),
  }
  return names.size ? { conversation: renamed, names } : { conversation }
}
