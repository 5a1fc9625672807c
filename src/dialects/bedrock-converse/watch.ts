import type { Watch } from '../dialect.ts'
import type { WireTier, WireUsage } from './types.ts'
import { readUsage } from './usage.ts'

/** Reads along with Converse. The counts follow the stop; the model stands in the address only. */
export const watch: Watch = {
  members: ['usage', 'serviceTier'],
  depth: 1,
  mention: 'usage',
  usage: ({ usage, serviceTier }) => (usage ? readUsage(usage as WireUsage, serviceTier as WireTier) : undefined),
  end: ({ stopReason }) => (stopReason ? 'finished' : undefined),
}
