/**
 * What policies may know of a request. Cloudflare takes it from Access; a self-hosted gateway knows its tokens:
 *
 * | field | from |
 * |---|---|
 * | `cf.user.id` | the token's name |
 * | `cf.user.email` | the same, where it is an address |
 * | `cf.user.groups` | the token's groups; a token without any has an empty list |
 * | `cf.custom.<claim>` | the token's claims |
 * | `cf.country` | unknown, unless whoever wires it knows |
 * | `metadata.<key>` | `cf-aig-metadata`, which the caller writes: trust it from backends of your own only |
 *
 * Of a caller without a token nothing is known but the metadata. What is not known is missing, which is more than false:
 * see decide.ts.
 */
export interface Facts {
  readonly cf: Identity
  /** Without a prototype, as `readMetadata` gives it. */
  readonly metadata: Readonly<Record<string, string | number | boolean | null>>
  /** The slug. */
  readonly provider: string
  /**
   * The provider's own id, or the same behind `<provider>/`; empty for what is about no model, undefined where there is
   * one and it cannot be told which.
   */
  readonly model: string | undefined
}

export type Claim = string | number | boolean | readonly string[]

// Classes, because the expressions' types are told by them: that is three times as quick as plain objects.

export class User {
  constructor(
    readonly id?: string,
    readonly email?: string,
    readonly groups?: readonly string[],
  ) {}
}

/** Who calls. One is made for a token and serves all of its requests. */
export class Identity {
  constructor(
    readonly user: User,
    /** Without a prototype. */
    readonly custom: Readonly<Record<string, Claim>>,
    readonly country?: string,
  ) {}
}

const bare = <V>(values: Readonly<Record<string, V>> = {}): Readonly<Record<string, V>> =>
  Object.assign(Object.create(null), values)

export const noMetadata: Facts['metadata'] = bare()

/** Nobody that is known. */
export const anonymous = new Identity(new User(), bare())

const EMAIL = /^[^\s@]+@[^\s@]+$/

/** What a token says of who holds it. */
export const identityOf = (token: {
  name: string
  groups?: readonly string[]
  claims?: Readonly<Record<string, Claim>>
}): Identity =>
  new Identity(
    new User(token.name, EMAIL.test(token.name) ? token.name : undefined, token.groups ?? []),
    bare(token.claims),
  )

/** What a client of the API says of a caller, as it stands. */
export function statedFacts(said: {
  cf?: {
    user?: { id?: string; email?: string; groups?: readonly string[] }
    custom?: Record<string, Claim>
    country?: string
  }
  metadata?: Record<string, string | number | boolean | null>
}): Pick<Facts, 'cf' | 'metadata'> {
  const { user, custom, country } = said.cf ?? {}
  return {
    cf: new Identity(new User(user?.id, user?.email, user?.groups), bare(custom), country),
    metadata: bare(said.metadata),
  }
}

/** A field of the facts, such as `metadata.team`. */
export interface Field {
  readonly text: string
  /** Undefined where it is missing. */
  read(facts: Facts): Claim | null | undefined
}

const named: Record<string, Field['read']> = {
  'cf.user.id': ({ cf }) => cf.user.id,
  'cf.user.email': ({ cf }) => cf.user.email,
  'cf.user.groups': ({ cf }) => cf.user.groups,
  'cf.country': ({ cf }) => cf.country,
}

export const fieldNames = [...Object.keys(named), 'cf.custom.<claim>', 'metadata.<key>']

/** The field of that name; what stands behind `metadata.` and `cf.custom.` is a key as a whole, whatever dots it has. */
export function fieldOf(text: string): Field | undefined {
  const read = Object.hasOwn(named, text) ? named[text] : undefined
  if (read) return { text, read }
  const key = /^(?:metadata|cf\.custom)\.(.+)$/s.exec(text)?.[1]
  if (key === undefined) return undefined
  return { text, read: text.startsWith('m') ? facts => facts.metadata[key] : facts => facts.cf.custom[key] }
}
