import type { PolicyResource } from '../../schemas/policy.ts'

/** What a policy covers, compiled. */
export interface Resource {
  /** The same text for whatever covers the same, in whichever order it was written. */
  readonly text: string
  /** @returns nothing where it depends on the model, and that is not known */
  covers(provider: string, model: string | undefined): boolean | undefined
}

/**
 * Names are compared without regard to case, as several providers do: a block is not to be evaded by it. A model goes by
 * its own id and by `<provider>/<id>`; a pattern may mean either.
 */
export function resourceOf(resource: PolicyResource): Resource {
  if (resource === '*') return { text: '*', covers: () => true }
  const providers = resource.provider === undefined ? undefined : namesOf(resource.provider)
  const models = 'model' in resource ? namesOf(resource.model) : undefined
  const patterns = models?.map(patternOf)
  return {
    text: JSON.stringify({ ...(models && { model: models }), ...(providers && { provider: providers }) }),
    covers: (provider, model) => {
      const slug = provider.toLowerCase()
      if (providers && !providers.includes(slug)) return false
      if (!patterns) return true
      if (model === undefined) return undefined
      const name = model.toLowerCase()
      const own = segmentsOf(name)
      if (patterns.some(fits => fits(own))) return true
      if (name.startsWith(`${slug}/`)) {
        const short = own.slice(1)
        return patterns.some(fits => fits(short))
      }
      const full = [slug, ...own]
      return patterns.some(fits => fits(full))
    },
  }
}

const namesOf = (names: string | readonly string[]) =>
  [...new Set([names].flat().map(name => name.toLowerCase()))].toSorted()

const segmentsOf = (name: string) => name.split('/')

/** A pattern's test of a name that is split at its slashes, which `*` does not cross. Its time grows with the name's length. */
function patternOf(pattern: string): (name: readonly string[]) => boolean {
  const segments = segmentsOf(pattern).map(segment => segment.split('*'))
  return name => name.length === segments.length && segments.every((pieces, at) => fitsSegment(pieces, name[at]!))
}

function fitsSegment(pieces: readonly string[], text: string): boolean {
  const first = pieces[0]!
  if (pieces.length === 1) return text === first
  const last = pieces[pieces.length - 1]!
  if (!text.startsWith(first) || !text.endsWith(last)) return false
  let from = first.length
  const end = text.length - last.length
  for (let at = 1; at < pieces.length - 1; at++) {
    const found = text.indexOf(pieces[at]!, from)
    if (found < 0) return false
    from = found + pieces[at]!.length
  }
  return from <= end
}
