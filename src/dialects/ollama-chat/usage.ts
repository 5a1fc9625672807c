import type { JsonObject } from '../../conversation/conversation.ts'
import type { Usage } from '../../conversation/reply.ts'
import type { ChatLine } from './types.ts'

/** Nanoseconds, as Ollama measures them: worth keeping, since they are what owners of a machine look at. */
const TIMINGS = ['total_duration', 'load_duration', 'prompt_eval_duration', 'eval_duration']

/**
 * Older servers leave `prompt_eval_count` out when the whole prompt came from the cache (trap 45); newer ones count the
 * cached part apart, inside it.
 */
export function readUsage(line: ChatLine): Usage | undefined {
  const { prompt_eval_count, eval_count, prompt_eval_cached_count } = line
  if (prompt_eval_count === undefined && eval_count === undefined) return undefined
  const native: JsonObject = {}
  for (const name of TIMINGS) if (line[name] !== undefined) native[name] = line[name]
  return {
    input: prompt_eval_count ?? 0,
    output: eval_count ?? 0,
    ...(prompt_eval_cached_count !== undefined && { cacheRead: prompt_eval_cached_count }),
    source: 'reported',
    ...(Object.keys(native).length > 0 && { native }),
  }
}
