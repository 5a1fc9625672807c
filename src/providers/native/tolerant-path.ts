import { NativeFault } from './address.ts'

/** Where documents and clients disagree about a provider's paths (contract 1.6). */
export interface Tolerance {
  /** Put in front of a path that has no version, where neither the provider's own base nor the configured one ends in one. */
  version?: string
  /** First steps of paths that stand beside the versions, not below one. */
  beside?: readonly string[]
  /** Paths that the provider serves without the version that clients write in front of them. */
  unversioned?: RegExp
  /** Beginnings that clients repeat although the base stands for them, the longest first: see {@link repeatsOf}. */
  repeats?: readonly string[]
}

const VERSION = /^v\d+(?:(?:alpha|beta|p\d+beta)\d*)?$/
/** At the end of an address; not a host's name. */
const LAST_VERSION = /(?<=[^/])\/v\d+(?:(?:alpha|beta|p\d+beta)\d*)?$/

/**
 * The endings of a base's path that a client may write again, because it removed only the host from its own address:
 * for `https://api.groq.com/openai/v1` these are `openai/v1` and `v1`.
 */
export function repeatsOf(base: string): string[] {
  const path = /^https?:\/\/[^/]+\/(.+?)\/*$/.exec(base)?.[1]
  if (path === undefined) return []
  const steps = path.split('/')
  return steps.map((_, at) => steps.slice(at).join('/')).filter(ending => !ending.includes('{'))
}

/**
 * Puts a path below a base, so that every form that clients write reaches the same address: what the base stands for is
 * not repeated, a version that is missing is put in. Nothing else of the path is changed.
 * @param base without a slash at its end
 * @param path without a slash at its beginning, and without a query
 */
export function tolerantPath(base: string, path: string, tolerance: Tolerance = {}): string {
  if (path === '') return base
  const { version, beside, unversioned, repeats = [] } = tolerance
  let rest = path
  const repeated = repeats.find(beginning => startsWith(path, beginning))
  if (repeated !== undefined) rest = path.slice(repeated.length + 1)
  const first = firstOf(rest)
  if (VERSION.test(first) && !endsInVersion(repeated)) {
    const behind = rest.slice(first.length + 1)
    if ((LAST_VERSION.test(base) && base.endsWith(`/${first}`)) || unversioned?.test(behind)) rest = behind
  }
  if (rest === '') return base
  // What stands beside the versions is not meant where a version was written.
  if (beside?.includes(firstOf(rest)) && (rest === path || !endsInVersion(repeated)))
    return `${withoutVersion(base)}/${rest}`
  return version && !LAST_VERSION.test(base) && !hasVersion(rest) ? `${base}/${version}/${rest}` : `${base}/${rest}`
}

const endsInVersion = (path = '') => VERSION.test(path.slice(path.lastIndexOf('/') + 1))

const firstOf = (path: string) => path.split('/', 1)[0]!

/** As its first step, or behind the name of one part of an API (`upload/v1beta/files`). */
const hasVersion = (path: string) => path.split('/', 2).some(step => VERSION.test(step))

const startsWith = (path: string, beginning: string) =>
  path.startsWith(beginning) && (path.length === beginning.length || path[beginning.length] === '/')

/** The base without a version at its end. */
export const withoutVersion = (base: string) => base.replace(LAST_VERSION, '')

/** A step `.` or `..` in any escape, however often it was escaped, also before a `;`, which some servers cut off. */
const STEPS = /(?:^|[/\\]|%(?:25)*(?:2f|5c))(?:\.|%(?:25)*2e){1,2}(?=[/\\;]|%(?:25)*(?:2f|5c|3b)|$)/i

/**
 * Refuses a path that would leave the provider's base: on the way there, or at a server that unescapes once more.
 * @throws NativeFault
 */
export function refuseSteps(path: string): void {
  if (STEPS.test(path)) throw new NativeFault('the path has a step "." or ".."; expected one without')
}
