import type { KeyUsed } from '../gateway/exchange.ts'
import { GatewayFault, upstreamFault } from '../gateway/fault.ts'
import { PolicyFault } from '../gateway/policies/refusals.ts'
import { faultHeaders, internalFault, policyResponse } from './faults.ts'

/** The envelope of Cloudflare's REST API, version 4, in which the REST plane answers (contract 1.7, 11.1). */

const AUTHENTICATION = 10_000
const INVALID = 7_001
const NO_ROUTE = 7_003

/**
 * Any fault as the REST plane tells it: `errors`, in the plural.
 * @param openai beside it, `error` in OpenAI's shape: its clients call `/ai/v1` and look for the message nowhere else
 */
export function restFault(thrown: unknown, openai = false): Response {
  const fault = thrown instanceof GatewayFault ? thrown : internalFault()
  if (fault instanceof PolicyFault) return policyResponse(fault)
  const { status, type, param, code } = fault
  const refused = fault.number === 2009
  // The data plane has two places for a token, this one has one.
  const message =
    refused && status === 401
      ? 'Authentication error: send a token of this gateway as `Authorization: Bearer <token>`'
      : fault.message
  const number = refused ? AUTHENTICATION : (fault.number ?? numberOf(status))
  const openaiError = openai ? { error: { message, type, param: param ?? null, code } } : undefined
  return failure(status, faultHeaders(fault), number, message, openaiError)
}

/** Cloudflare's number for a failure of which only the status is known. */
const numberOf = (status: number) => (status === 400 ? INVALID : status === 404 ? NO_ROUTE : status)

function failure(status: number, headers: Headers, code: number, message: string, more?: object): Response {
  const body = { result: null, success: false, errors: [{ code, message }], messages: [], ...more }
  return new Response(JSON.stringify(body), { status, headers })
}

/**
 * An answer of a model in the envelope. Streams, and what is no JSON, go on as they are; so does what stands in the
 * envelope already.
 * @param key whose key was used: a refusal of the house's is no fault of the caller's (contract 1.7)
 * @throws GatewayFault 502 for JSON that broke off or is none
 */
export async function enveloped(response: Response, provider: string, key?: KeyUsed): Promise<Response> {
  const { headers } = response
  const status = response.status === 401 && key?.of === 'house' ? 503 : response.status
  const isJson = (headers.get('content-type') ?? '').includes('json')
  if (response.ok && !isJson) return response
  const text = await response.text().catch(() => {
    throw upstreamFault('closed', provider, 'the connection broke in the middle of the answer')
  })
  const value = isJson || !response.ok ? parsed(text) : undefined
  headers.delete('content-length')
  if (isEnvelope(value)) return new Response(text, { status, headers })
  headers.set('content-type', 'application/json')
  if (!response.ok) return failure(status, headers, errorNumber(status), messageOf(value) ?? `${provider}: ${status}`)
  if (value === undefined) throw upstreamFault('closed', provider, 'its answer is not valid JSON')
  // The provider's text as it is: numbers beyond double precision stay.
  return new Response(`{"result":${text},"success":true,"errors":[],"messages":[]}`, { status, headers })
}

/** A provider that refuses its credential is not our own refusal of a token (contract 1.7). */
const errorNumber = (status: number) => (status === 401 ? 2009 : numberOf(status))

const isEnvelope = (value: unknown) =>
  typeof value === 'object' && value !== null && typeof (value as { success?: unknown }).success === 'boolean'

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function messageOf(value: unknown): string | undefined {
  const { error, message } = (value ?? {}) as { error?: unknown; message?: unknown }
  for (const said of [(error as { message?: unknown } | null | undefined)?.message, error, message])
    if (typeof said === 'string' && said) return said
  return undefined
}
