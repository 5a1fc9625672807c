import { fill, fillsOf } from '../placeholders.ts'
import type { Native } from './address.ts'
import { repeatsOf, type Tolerance, tolerantPath } from './tolerant-path.ts'
import { placedBy } from './wire.ts'

/**
 * The usual way of a provider-native request: its path goes below the base, whichever is configured.
 * @param own the provider's own base (contract table 1.5), whose end clients may repeat; none for an operator's provider
 */
export function below(own?: string, tolerance: Tolerance = {}): Native {
  const tolerated: Tolerance = { ...(own !== undefined && { repeats: repeatsOf(own) }), ...tolerance }
  return (path, place) => {
    const url = tolerantPath(fill(place.base, fillsOf(place)), path, tolerated)
    return { url, region: place.region, ...placedBy(url) }
  }
}
