import type { Watch } from '../dialect.ts'
import type { ChatLine } from './types.ts'
import { readUsage } from './usage.ts'

/** Reads along with Ollama, which counts in the last line of an answer; `generate` and `embed` do it in the same way. */
export const watch: Watch = {
  members: [
    'prompt_eval_count',
    'prompt_eval_cached_count',
    'eval_count',
    'total_duration',
    'load_duration',
    'prompt_eval_duration',
    'eval_duration',
    'model',
    'done',
    'error',
  ],
  depth: 1,
  mention: 'eval_count',
  model: ({ model }) => (typeof model === 'string' ? model : undefined),
  usage: message => readUsage(message as ChatLine),
  // Of a long last line only the counts may be left, which no other line has.
  end: ({ done, error, eval_count }) => (done || error || eval_count !== undefined ? 'marked' : undefined),
}
