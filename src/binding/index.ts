import { AiError, reasonIn } from './errors.ts'
import { type Connection, gatewayAt, lowerCased } from './gateway.ts'
import { gatewayHeaders, json } from './headers.ts'
import type { AI, AIOptions, RunOptions } from './types.ts'

export { AiError, AiGatewayInternalError, AiGatewayLogNotFound } from './errors.ts'
export type * from './types.ts'

/**
 * What Workers have as `env.AI`, over HTTP, so that code written for it runs against Postern on any JavaScript runtime.
 * It needs nothing but `fetch`. `createAI(…).gateway(id)` is what `ai-gateway-provider` takes as `binding`.
 */
export function createAI({ url, token, account = 'home', fetch: given }: AIOptions): AI {
  const connection: Connection = {
    url: url.replace(/\/+$/, ''),
    token,
    account,
    // Called as a function of the global object, where Workers want it.
    fetch: given ?? ((address, init) => fetch(address, init)),
  }
  let logId: string | null = null

  async function run(model: string, inputs: object, options: RunOptions = {}): Promise<unknown> {
    const { gateway, extraHeaders, signal, returnRawResponse } = options
    if ((options as { websocket?: unknown }).websocket)
      throw new Error(
        'websocket: not offered by run(); open a WebSocket at the address of gateway(id).getUrl(provider)',
      )
    const response = await connection.fetch(
      `${connection.url}/client/v4/accounts/${encodeURIComponent(account)}/ai/run`,
      {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...gatewayHeaders(gateway),
          ...(gateway?.id !== undefined && { 'cf-aig-gateway-id': gateway.id }),
          ...lowerCased(extraHeaders),
          authorization: `Bearer ${token}`,
        },
        body: json({ model, input: inputs }),
        signal,
      },
    )
    logId = response.headers.get('cf-aig-log-id')
    if (returnRawResponse) return response.ok && isJson(response) ? bare(response) : response
    if (!response.ok) {
      const { code, text } = reasonIn(await response.text(), response.status)
      throw new AiError(code, text, response.status)
    }
    return isJson(response) ? resultIn(await response.json()) : response.body
  }

  /** Addresses of the Workers' own host, which clients build by themselves, are those of this Postern (contract 1.10). */
  const fetchBound: AI['fetch'] = (input, init) => {
    const address = new URL(typeof input === 'string' ? input : input instanceof URL ? input.href : input.url)
    const here = `${connection.url}/client/v4/accounts/${encodeURIComponent(account)}${address.pathname}${address.search}`
    const headers = new Headers(init?.headers)
    headers.set('authorization', `Bearer ${token}`)
    return connection.fetch(here, { ...init, headers })
  }

  return {
    fetch: fetchBound,
    get aiGatewayLogId() {
      return logId
    },
    gateway: id => gatewayAt(connection, id),
    run: run as AI['run'],
  }
}

const isJson = ({ headers }: Response) => (headers.get('content-type') ?? '').includes('json')

/** The envelope belongs to REST; callers of the binding never see it. */
const resultIn = (body: unknown): unknown =>
  typeof body === 'object' && body !== null && 'result' in body && 'success' in body ? body.result : body

/** The same answer without the envelope, for SDKs that read the model's own format from it. */
async function bare(response: Response): Promise<Response> {
  const headers = new Headers(response.headers)
  for (const name of ['content-length', 'content-encoding']) headers.delete(name)
  return new Response(JSON.stringify(resultIn(await response.json())), { status: response.status, headers })
}
