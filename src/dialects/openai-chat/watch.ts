import type { Watch } from '../dialect.ts'
import type { Completion } from './types.ts'
import { readUsage } from './usage.ts'

/** Reads along with chat completions, and with the older completions of a text, which count in the same way. */
export const watch: Watch = {
  members: ['usage', 'model', 'service_tier', 'error'],
  depth: 1,
  mention: 'usage',
  model: ({ model }) => (typeof model === 'string' ? model : undefined),
  usage(message, first) {
    const { usage, service_tier } = message as Completion
    return usage ? readUsage(usage, service_tier ?? (first as Completion | undefined)?.service_tier) : undefined
  },
  end({ choices, error }: Completion) {
    if (error) return 'marked'
    return choices?.some(choice => choice?.finish_reason) ? 'finished' : undefined
  },
}
