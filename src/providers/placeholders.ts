import type { Place } from './provider.ts'

/** What may stand in a base address in braces, filled from the settings and the credential. */
export type Fills = Record<string, string | undefined>

/** The setting that an address needs is not there. */
export class MissingSetting extends Error {
  constructor(readonly setting: string) {
    super(`${setting} is missing`)
  }
}

/** @param place with the region already decided */
export function fillsOf(place: Omit<Place, 'stream' | 'model'> & { model?: string }): Fills {
  const { region } = place
  return {
    resource: place.resource,
    deployment: place.deployment ?? place.model,
    model: place.model,
    account: place.account,
    project: place.project,
    region,
    // `global` has no prefix in front of the host (trap 56).
    'region-': region === 'global' ? '' : region && `${region}-`,
    aiplatform: region && aiplatform(region),
  }
}

/**
 * The host of a Vertex location, before `.googleapis.com`: regional, global, or one of the two that span regions.
 * @see https://docs.cloud.google.com/vertex-ai/generative-ai/docs/learn/locations
 */
function aiplatform(location: string): string {
  if (location === 'global') return 'aiplatform'
  return location === 'us' || location === 'eu' ? `aiplatform.${location}.rep` : `${location}-aiplatform`
}

/**
 * Fills the placeholders of an address; what is in braces and none of ours stays.
 * @param written what a path said, escaped as it stood there; it comes before the fills
 * @throws MissingSetting
 */
export function fill(template: string, fills: Fills, written: Fills = {}): string {
  if (!template.includes('{')) return template
  return template.replace(/\{([a-z]+-?)\}/g, (whole, name: string) => {
    const said = written[name]
    if (said !== undefined) return said
    if (!(name in fills)) return whole
    const value = fills[name]
    if (value !== undefined) return encodeURIComponent(value)
    throw new MissingSetting(name.replace('-', ''))
  })
}
