import { importPKCS8, SignJWT } from 'jose'
import { type AuthContext, type Authenticator, CredentialFault, inHeader, jsonCredential } from './auth.ts'

const GOOGLE = 'https://oauth2.googleapis.com/token'

interface ServiceAccount {
  client_email: string
  private_key: string
  private_key_id?: string
  project_id?: string
  token_uri: string
  region?: string
}

/** A service account, as the console gives it, with an added `region` (contract 2.3); undefined for a bare access token. */
export function serviceAccount(credential: string): ServiceAccount | undefined {
  const json = jsonCredential(credential)
  if (!json) {
    if (credential.trimStart().startsWith('{')) throw new CredentialFault('the service account is not valid JSON')
    return undefined
  }
  if (typeof json.client_email !== 'string' || typeof json.private_key !== 'string')
    throw new CredentialFault('the service account lacks client_email or private_key')
  return { token_uri: GOOGLE, ...json } as unknown as ServiceAccount
}

interface Held {
  token: string
  /** Milliseconds since 1970. */
  until: number
}

/** Tokens by service account; a token lives an hour and is renewed five minutes early (trap 56). */
const tokens = new Map<string, Held>()
const underway = new Map<string, Promise<Held>>()
const EARLY_MS = 300_000

/** Forgets an account's token, after Google refused it. */
export function forgetToken(credential: string): void {
  const account = serviceAccount(credential)
  if (account) tokens.delete(keyOf(account))
}

/** The private key is part of it: e-mail and key id are no secrets, and must not open the token of another. */
const keyOf = (account: ServiceAccount) => `${account.client_email} ${account.token_uri} ${account.private_key}`
/** Callers may bring accounts of their own, as many as they like. */
const MOST_TOKENS = 1_000

/**
 * Vertex: a service account's signed assertion is exchanged for an access token, once for all requests that wait for
 * it. Anything that is not a service account is taken for an access token, or for an express-mode key.
 * @see https://developers.google.com/identity/protocols/oauth2/service-account#httprest
 */
export const vertex: Authenticator = async (outgoing, credential, context) => {
  const account = serviceAccount(credential)
  if (!account) {
    if (credential.startsWith('AIza')) return inHeader('x-goog-api-key')(outgoing, credential, context)
    outgoing.headers.authorization = `Bearer ${credential}`
    return
  }
  // Otherwise a caller could have the gateway call any address of the operator's network.
  if (context.fromCaller && account.token_uri !== GOOGLE)
    throw new CredentialFault(`the token_uri of a service account that a caller brings must be ${GOOGLE}`)
  const key = keyOf(account)
  let held = tokens.get(key)
  if (!held || held.until < Date.now()) {
    let exchange = underway.get(key)
    if (!exchange) {
      exchange = obtain(account, context).finally(() => underway.delete(key))
      underway.set(key, exchange)
    }
    held = await exchange
    if (tokens.size >= MOST_TOKENS) tokens.clear()
    tokens.set(key, held)
  }
  outgoing.headers.authorization = `Bearer ${held.token}`
}

async function obtain(account: ServiceAccount, context: AuthContext): Promise<Held> {
  let assertion: string
  try {
    const key = await importPKCS8(account.private_key, 'RS256')
    assertion = await new SignJWT({ scope: 'https://www.googleapis.com/auth/cloud-platform' })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', ...(account.private_key_id && { kid: account.private_key_id }) })
      .setIssuer(account.client_email)
      .setAudience(account.token_uri)
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(key)
  } catch {
    throw new CredentialFault('the private key of the service account cannot be read')
  }
  const response = await context.fetch(account.token_uri, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }).toString(),
  })
  const answer = (await response.json().catch(() => ({}))) as {
    access_token?: string
    expires_in?: number
    error?: string
  }
  if (!response.ok || !answer.access_token)
    throw new CredentialFault(`Google refused the service account (${response.status} ${answer.error ?? ''})`.trim())
  return { token: answer.access_token, until: Date.now() + (answer.expires_in ?? 3_600) * 1_000 - EARLY_MS }
}
