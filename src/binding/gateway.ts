import { AiGatewayInternalError, AiGatewayLogNotFound, reasonIn } from './errors.ts'
import { gatewayHeaders, json, stepOf } from './headers.ts'
import type { AIGateway, Fetch, GatewayLog } from './types.ts'

export interface Connection {
  /** Without a slash at its end. */
  url: string
  token: string
  account: string
  fetch: Fetch
}

/** One gateway, over the universal endpoint and the management address of its records. */
export function gatewayAt({ url, token, account, fetch }: Connection, id: string): AIGateway {
  const here = `${url}/v1/${encodeURIComponent(account)}/${encodeURIComponent(id)}`
  const records = `${url}/client/v4/accounts/${encodeURIComponent(account)}/ai-gateway/gateways/${encodeURIComponent(id)}/logs`

  const record = async (logId: string, init: RequestInit): Promise<GatewayLog | undefined> => {
    const response = await fetch(`${records}/${encodeURIComponent(logId)}`, {
      ...init,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    })
    const text = await response.text()
    if (response.ok) return (JSON.parse(text) as { result?: GatewayLog }).result
    const reason = reasonIn(text, response.status)
    // The code tells a record that is missing from an address that is.
    if (response.status === 404 && reason.code === NOT_FOUND)
      throw new AiGatewayLogNotFound(`there is no log "${logId}" in the gateway "${id}"`)
    if (response.status === 404)
      throw new AiGatewayInternalError('this Postern has no management address for logs: a later version is needed')
    throw new AiGatewayInternalError(`${reason.code}: ${reason.text}`)
  }

  return {
    run(data, { gateway, extraHeaders, signal } = {}) {
      const steps = (Array.isArray(data) ? data : [data]).map(stepOf)
      return fetch(here, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...gatewayHeaders(gateway),
          ...lowerCased(extraHeaders),
          'cf-aig-authorization': `Bearer ${token}`,
        },
        body: json(steps),
        signal,
      })
    },
    async getUrl(provider) {
      return provider === undefined || provider === 'universal' ? here : `${here}/${provider}`
    },
    async getLog(logId) {
      const log = await record(logId, { method: 'GET' })
      if (!log) throw new AiGatewayInternalError('the answer holds no log')
      return { ...log, created_at: new Date(log.created_at), ...parsedMetadata(log.metadata) }
    },
    async patchLog(logId, patch) {
      await record(logId, { method: 'PATCH', body: json(patch) })
    },
  }
}

/** The management API's number for what does not exist. */
const NOT_FOUND = 7002

/** So that no header is sent twice under two spellings. */
export const lowerCased = (headers: Record<string, string> = {}) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

/** The management API tells metadata as text; callers of the binding get the object. */
function parsedMetadata(metadata: unknown): { metadata?: unknown } {
  if (typeof metadata !== 'string') return {}
  try {
    return { metadata: JSON.parse(metadata) as unknown }
  } catch {
    return {}
  }
}
