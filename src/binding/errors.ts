/** A failed call. Its message is `<code>: <text>`, as with Cloudflare's binding. */
export class AiError extends Error {
  override readonly name = 'InferenceUpstreamError'
  readonly code: number
  /** The status of the answer. */
  readonly status: number

  constructor(code: number, text: string, status: number) {
    super(`${code}: ${text}`)
    this.code = code
    this.status = status
  }
}

/** There is no record of that id. */
export class AiGatewayLogNotFound extends Error {
  override readonly name = 'AiGatewayLogNotFound'
}

/** The records could not be asked for, or not changed. */
export class AiGatewayInternalError extends Error {
  override readonly name = 'AiGatewayInternalError'
}

/** What an error answer says, in whichever shape. */
export function reasonIn(text: string, status: number): { code: number; text: string } {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return { code: status, text: text.slice(0, 500) || `HTTP ${status}` }
  }
  const { errors, error, message } = (body ?? {}) as { errors?: unknown; error?: unknown; message?: unknown }
  const first = (Array.isArray(errors) ? errors[0] : error) as { code?: unknown; message?: unknown } | null | undefined
  const said = [first?.message, error, message].find(each => typeof each === 'string' && each !== '')
  return { code: typeof first?.code === 'number' ? first.code : status, text: (said as string) ?? `HTTP ${status}` }
}
