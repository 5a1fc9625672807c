import { type RunningApp, TOKEN } from './app.ts'

/** An answer of the management API, of whichever call. */
export interface Managed {
  status: number
  headers: Headers
  success: boolean
  errors: { code: number; message: string; path?: string[] }[]
  messages: { code: number; message: string }[]
  // biome-ignore lint/suspicious/noExplicitAny: results of every form, which the expectations hold against theirs
  result: any
  result_info?: Record<string, number>
  // biome-ignore lint/suspicious/noExplicitAny: the lists of routes
  data?: any
  // biome-ignore lint/suspicious/noExplicitAny: a route that was renamed
  route?: any
}

/** Calls what stands below the account. */
export async function manage(
  app: Pick<RunningApp, 'address'>,
  method: string,
  path: string,
  body?: unknown,
  token = TOKEN,
): Promise<Managed> {
  const response = await fetch(`${app.address}/client/v4/accounts/home${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const said = (await response.json()) as Managed
  return { ...said, status: response.status, headers: response.headers }
}
