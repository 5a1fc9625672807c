import type { Usage } from '../../conversation/reply.ts'
import type { WireUsage } from './types.ts'

const COUNTED = new Set([
  'input_tokens',
  'output_tokens',
  'cache_read_input_tokens',
  'cache_creation_input_tokens',
  'cache_creation',
  'output_tokens_details',
])

/**
 * Usage told in several messages of a stream: the last value of each field holds, but a zero never replaces a count, and
 * nothing is added up (T09, T10, T11).
 */
export function mergeUsage(old: WireUsage, more: WireUsage | null | undefined): WireUsage {
  const merged: WireUsage = { ...old }
  for (const [name, value] of Object.entries(more ?? {})) {
    if (value === null || value === undefined) continue
    if (value === 0 && merged[name] !== undefined) continue
    merged[name] = value
  }
  return merged
}

/**
 * Anthropic counts what was read from or written to the cache apart from `input_tokens` (T88). That a conversation was
 * made shorter on the way is charged too, and not among the counts of the answer.
 * @see https://docs.claude.com/en/docs/build-with-claude/compaction
 */
export function readUsage(wire: WireUsage): Usage {
  const usage = readCounts(wire)
  const { iterations } = wire
  if (Array.isArray(iterations))
    for (const each of iterations) if (each?.type === 'compaction') addUp(usage, readCounts(each))
  const searches = wire.server_tool_use?.web_search_requests
  if (searches) usage.webSearches = searches
  return usage
}

/** Adds what another asking of the same model took. */
function addUp(usage: Usage, more: Usage): void {
  usage.input += more.input
  usage.output += more.output
  for (const name of PARTS) if (more[name]) usage[name] = (usage[name] ?? 0) + more[name]
}
const PARTS = ['cacheRead', 'cacheWrite', 'cacheWrite1h', 'reasoning'] as const

function readCounts(usage: WireUsage): Usage {
  const read = usage.cache_read_input_tokens ?? undefined
  const split = usage.cache_creation ?? undefined
  const hour = split?.ephemeral_1h_input_tokens ?? undefined
  const parts = split && (split.ephemeral_5m_input_tokens ?? 0) + (hour ?? 0)
  const write = usage.cache_creation_input_tokens || parts || (usage.cache_creation_input_tokens ?? undefined)
  const thinking = usage.output_tokens_details?.thinking_tokens ?? undefined
  const native = Object.fromEntries(
    Object.entries(usage).filter(([name, value]) => !COUNTED.has(name) && value !== null && value !== undefined),
  )
  return {
    input: (usage.input_tokens ?? 0) + (read ?? 0) + (write ?? 0),
    output: usage.output_tokens ?? 0,
    ...(read !== undefined && { cacheRead: read }),
    ...(write !== undefined && { cacheWrite: write }),
    ...(hour !== undefined && { cacheWrite1h: hour }),
    ...(thinking !== undefined && { reasoning: thinking }),
    source: 'reported',
    ...(Object.keys(native).length > 0 && { native }),
  }
}
