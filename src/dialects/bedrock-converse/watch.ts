import type { Watch } from '../dialect.ts'
import type { WireUsage } from './types.ts'
import { readUsage } from './usage.ts'

/** Reads along with Converse. The counts follow the stop; the model stands in the address only. */
export const watch: Watch = {
  members: ['usage'],
  depth: 1,
  mention: 'usage',
  usage: ({ usage }) => (usage ? readUsage(usage as WireUsage) : undefined),
  end: ({ stopReason }) => (stopReason ? 'finished' : undefined),
}
