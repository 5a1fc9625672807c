import { fill, fillsOf } from '../placeholders.ts'
import { type NativeAddress, NativeFault, type NativePlace } from './address.ts'
import { tolerantPath } from './tolerant-path.ts'
import { placedBy } from './wire.ts'

const IN_A_PROJECT = /^(?:v\d\w*\/)?projects\/[^/]+(?:\/locations\/([^/]+))?(?:\/|$)/
/** Without a project: express mode, or a client that leaves the project to whoever holds the account. */
const PUBLISHED = /^(?:(v\d\w*)\/)?((?:publishers|endpoints)\/.*)$/

/** Whether an express-mode key goes along, which belongs to no project that a path could name. */
const isExpress = ({ credential, headers }: NativePlace) =>
  credential === undefined ? Boolean(headers?.get('x-goog-api-key')) : /^(?:AIza|AQ\.)/.test(credential)

/**
 * Vertex: the location in the path decides the host (wire-formats section 5, trap 56). A path without a project is for
 * express mode, unless an account goes along: then its project and location are put in.
 */
export function vertexNative(path: string, place: NativePlace): NativeAddress {
  const { project } = place
  let written = path
  let region = place.region
  const located = IN_A_PROJECT.exec(path)
  const published = PUBLISHED.exec(path)
  if (located) region = located[1] ?? region
  else if (published && project !== undefined && !isExpress(place)) {
    const [, version = 'v1', rest] = published
    written = `${version}/projects/${encodeURIComponent(project)}/locations/${encodeURIComponent(region ?? 'global')}/${rest}`
  } else if (published) region = 'global'
  // It becomes a part of the host's name, and a credential or the path may have said it.
  if (region !== undefined && !/^[a-z0-9-]+$/.test(region))
    throw new NativeFault(
      'the location is not one of Vertex AI; expected google-vertex-ai/v1/projects/{project}/locations/{location}/publishers/google/models/{model}:generateContent',
    )
  const base = fill(place.base, fillsOf({ ...place, region }))
  const url = tolerantPath(base, written, { version: 'v1' })
  return { url, ...placedBy(url) }
}
