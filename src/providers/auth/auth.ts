/** A request on its way to a provider. Header names are lower case. */
export interface Outgoing {
  url: string
  method: string
  headers: Record<string, string>
  body?: string | Uint8Array
  /** Where the operator or the credential says that the provider runs; for signatures. */
  region?: string
}

/** What an authenticator may need beyond the request. */
export interface AuthContext {
  /** For token endpoints; the call is bounded by the caller's patience. */
  fetch(url: string, init: RequestInit): Promise<Response>
  /** The credential is one that the caller brought along: what it says about where to go is not trusted. */
  fromCaller?: boolean
}

/**
 * Puts a credential on a request. The credential is the text from the configuration or from the caller.
 * @throws CredentialFault when the credential cannot be used
 */
export type Authenticator = (outgoing: Outgoing, credential: string, context: AuthContext) => void | Promise<void>

/** The credential is not what this provider needs. The message says what is wrong and never holds the credential. */
export class CredentialFault extends Error {}

/** A key in `Authorization` behind a word of the provider's own. */
export function withScheme(scheme: string): Authenticator {
  return (outgoing, credential) => {
    outgoing.headers.authorization = `${scheme} ${credential}`
  }
}

export const bearer = withScheme('Bearer')

/** A key in a header of the provider's own. */
export function inHeader(name: string): Authenticator {
  return (outgoing, credential) => {
    outgoing.headers[name] = credential
  }
}

/** Azure: a key travels in `api-key`, an Entra token (a JWT) as bearer. */
export const azure: Authenticator = (outgoing, credential) => {
  if (/^eyJ[\w-]+\.[\w-]+\.[\w-]*$/.test(credential)) outgoing.headers.authorization = `Bearer ${credential}`
  else outgoing.headers['api-key'] = credential
}

/** A credential that is more than a string is JSON (contract 2.3), or base64 of JSON. */
export function jsonCredential(credential: string): Record<string, unknown> | undefined {
  const text = credential.trimStart()
  const tryParse = (json: string) => {
    try {
      const value: unknown = JSON.parse(json)
      return value && typeof value === 'object' && !Array.isArray(value)
        ? (value as Record<string, unknown>)
        : undefined
    } catch {
      return undefined
    }
  }
  if (text.startsWith('{')) return tryParse(text)
  return text.startsWith('ey') ? tryParse(atobOrNothing(text)) : undefined
}

function atobOrNothing(text: string): string {
  try {
    return atob(text.trim())
  } catch {
    return ''
  }
}
