import type { AnswerHeaders } from './transport/head.ts'

/** Headers that concern one connection, whichever way they go. */
export const HOP_BY_HOP: readonly string[] = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]

/** Headers of one connection, of a body that is written anew, or of another server's own affairs: they never go on. */
const NOT_PASSED = new Set([
  ...HOP_BY_HOP,
  'content-length',
  'content-encoding',
  'content-type',
  'set-cookie',
  'date',
  'location',
  'server',
  'alt-svc',
  'strict-transport-security',
  'vary',
])

/** Further headers of one connection, which it names itself. */
export function hopsNamed(headers: Pick<Headers, 'get'>): ReadonlySet<string> | undefined {
  const named = headers.get('connection')
  return named ? new Set(named.toLowerCase().split(/\s*,\s*/)) : undefined
}

/** Up to this size an answer is held until it is whole, so that one that breaks off is still told as a failure. */
export const ONE_PIECE = 1024 * 1024

/** The provider's headers that the client may see: rate limits, request ids and the like. */
export function passedHeaders(from: AnswerHeaders): Headers {
  const headers = new Headers()
  const hop = hopsNamed(from)
  from.forEach((value, name) => {
    if (NOT_PASSED.has(name) || name.startsWith('access-control-') || hop?.has(name)) return
    // What another gateway behind us says of its own doings is not what we say of ours.
    if (!name.startsWith('cf-aig-')) headers.append(name, value)
  })
  return headers
}
