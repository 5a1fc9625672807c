import { GatewayFault } from '../../gateway/fault.ts'
import type { Explanation } from '../../schemas/explain.ts'
import type { ResultInfo } from '../../schemas/management/envelope.ts'
import { faultHeaders, internalFault } from '../faults.ts'

/** The envelope of the management API (contract 11.1): every answer is in it. */

/** Cloudflare's numbers. What has none goes by its status. */
const INVALID = 7_001
const NO_ROUTE = 7_003
/** Of custom providers there, of everything here that has a name of its own. */
const TAKEN = 1_003
const NOT_OFFERED = 2_036
/** Of what an answer tells beside its result. */
const NOTE = 1_000

export interface More {
  /** What was said and has no effect, in sentences. */
  notes?: readonly string[]
  info?: ResultInfo
}

export function success(result: unknown, { notes = [], info }: More = {}): Response {
  const messages = notes.map(message => ({ code: NOTE, message }))
  return Response.json({ success: true, errors: [], messages, result, ...(info && { result_info: info }) })
}

/** Any fault in the envelope. Nothing of the client's input is in it. */
export function managementFault(thrown: unknown): Response {
  const fault = thrown instanceof GatewayFault ? thrown : internalFault()
  const { status, message, param } = fault
  const code = fault.number ?? (status === 400 ? INVALID : status === 404 ? NO_ROUTE : status)
  const path = code === INVALID && param !== undefined ? param.split(/[.[\]]+/).filter(Boolean) : undefined
  const headers = faultHeaders(fault)
  // Cloudflare's client asks again after a conflict, and here that can only come to the same.
  if (status === 409) headers.set('x-should-retry', 'false')
  const errors = [{ code, message, ...(path && { path }) }]
  return new Response(JSON.stringify({ success: false, errors, messages: [], result: null }), { status, headers })
}

/** What does not fit, in the body or in the query. @param at as code would write it: `rules[2].limit` */
export const invalid = (place: 'body' | 'query', { path, message }: Explanation) =>
  new GatewayFault({
    status: 400,
    number: INVALID,
    code: 'invalid_request',
    message,
    param: path ? `${place}.${path}` : place,
  })

/** All that does not fit at once, each with the steps that lead to it. */
export const severalInvalid = (faults: readonly { message: string; path: readonly string[] }[]): Response => {
  const errors = faults.map(({ message, path }) => ({ code: INVALID, message, path }))
  return Response.json({ success: false, errors, messages: [], result: null }, { status: 400 })
}

/** A name that something else has. */
export const taken = (message: string) => new GatewayFault({ status: 409, number: TAKEN, code: 'taken', message })

/** What is there, and is not for the API to change. */
export const unchangeable = (message: string) => new GatewayFault({ status: 409, code: 'unchangeable', message })

/** What Cloudflare has, and a gateway of one's own does not. */
export const notOffered = (message: string) =>
  new GatewayFault({ status: 400, number: NOT_OFFERED, code: 'not_offered', message: `not offered here: ${message}` })
