import { canonical } from './canonical-json.ts'

/** With whose key the provider is asked. Only the same one shares answers. */
export type CredentialIdentity =
  /** The caller's own. */
  | { kind: 'own'; key: string }
  /** One of the store, as it was when it was last changed. */
  | { kind: 'stored'; id: string; modified: number }
  /** One of the operator's file. */
  | { kind: 'declared'; alias: string }
  | { kind: 'none' }

/** All that decides over an answer. */
export interface AnswerQuestion {
  gateway: string
  provider: string
  method: string
  /** Of the endpoint, with its query, without any token of ours. */
  path: string
  model: string
  credential: CredentialIdentity
  /** In whose words the client speaks and is answered: the dialect, or the surface where it has none. */
  surface: string
  /** Headers that go to the provider and change what it answers (betas, versions), in any order, names in lower case. */
  headers?: readonly (readonly [name: string, value: string])[]
  /** As the client wrote it. */
  body: string | Uint8Array | undefined
}

/**
 * The key of an answer: `<gateway>:` and a SHA-256 over all that decides over it (contract section 4, and the identity
 * of a stored key where the caller brought none, or two tenants would share). Of a JSON body neither the order of members
 * nor whitespace matters, everything else does; any other body counts byte by byte.
 */
export function answerKey(question: AnswerQuestion): string {
  const { gateway, provider, method, path, model, surface, headers, body } = question
  let parts = `exact${part(provider)}${part(method)}${part(path)}${part(model)}${part(surface)}`
  parts += identity(question.credential)
  if (headers?.length) for (const [name, value] of headers.toSorted(byNameAndValue)) parts += part(name) + part(value)
  // Where the headers end and the body begins; no length is written so.
  parts += ';'
  const asked = isWorthKnowing(question) ? `${gateway}:${parts}${body}` : undefined
  const known = asked === undefined ? undefined : lately.get(asked)
  if (known !== undefined) return known
  const hash = new Bun.CryptoHasher('sha256').update(parts)
  hashBody(hash, body)
  const key = `${gateway}:${hash.digest('hex')}`
  if (asked === undefined) return key
  if (lately.size >= MOST_KNOWN) lately.clear()
  lately.set(asked, key)
  return key
}

/** The keys of what was asked lately, word for word: bringing a body into its canonical form costs five times as much. */
const lately = new Map<string, string>()
const MOST_KNOWN = 200
/** In characters. */
const LONGEST_KNOWN = 16_384

/** Longer bodies are no memory to keep, and a caller's own key stays where it is. */
const isWorthKnowing = ({ body, credential }: AnswerQuestion): boolean =>
  typeof body === 'string' && body.length <= LONGEST_KNOWN && credential.kind !== 'own'

/** The key that a client names itself: the same on all that one gateway serves, at the client's own risk (contract section 4). */
export function namedAnswerKey(gateway: string, name: string): string {
  return `${gateway}:${new Bun.CryptoHasher('sha256').update(`named${name}`).digest('hex')}`
}

/** With its length before it, so that no part can pass for the end of another and the beginning of the next. */
const part = (text: string) => `${text.length}:${text}`

function identity(credential: CredentialIdentity): string {
  if (credential.kind === 'own') return `own${part(credential.key)}`
  if (credential.kind === 'stored') return `stored${part(credential.id)}${part(String(credential.modified))}`
  if (credential.kind === 'declared') return `declared${part(credential.alias)}`
  return 'none'
}

const byNameAndValue = (one: readonly [string, string], other: readonly [string, string]) =>
  compare(one[0], other[0]) || compare(one[1], other[1])

const compare = (one: string, other: string) => (one < other ? -1 : one > other ? 1 : 0)

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** What it was taken for stands behind it, so that no bytes can pass for another's JSON. */
function hashBody(hash: Bun.CryptoHasher, body: string | Uint8Array | undefined): void {
  if (body === undefined) return
  const text = typeof body === 'string' ? body : textOf(body)
  if (text !== undefined && canonical(text, hash)) hash.update(';json')
  else hash.update(body as string | Uint8Array<ArrayBuffer>).update(';bytes')
}

/** The text of what may be JSON; other bytes, an upload for one, need not be decoded. */
function textOf(bytes: Uint8Array): string | undefined {
  const first = bytes.find(byte => byte > SPACE)
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) return undefined
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}

const SPACE = 32
const OPEN_BRACKET = 91
const OPEN_BRACE = 123
