/** How a receiver took a batch. */
export type Posted =
  | { kind: 'taken'; status: number; contentType: string; body: Uint8Array }
  /** It may take the same batch later. @param after milliseconds that it asks for */
  | { kind: 'later'; reason: string; after?: number }
  /** It will never take this batch. */
  | { kind: 'refused'; reason: string }

export interface Letter {
  url: string
  headers: Headers
  body: string | Uint8Array<ArrayBuffer>
  /** Milliseconds that the receiver may take. */
  timeout: number
  signal?: AbortSignal
}

/** What passes by itself: too many requests, and servers that are starting, busy or out of reach. */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504])

/** Posts a batch; never throws. A redirect is not followed: the headers are for this receiver. */
export async function post({ url, headers, body, timeout, signal }: Letter): Promise<Posted> {
  const late = AbortSignal.timeout(timeout)
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers,
      body,
      redirect: 'manual',
      signal: signal ? AbortSignal.any([signal, late]) : late,
    })
    const bytes = await answer.bytes()
    const { status } = answer
    if (status >= 200 && status < 300)
      return { kind: 'taken', status, contentType: answer.headers.get('content-type') ?? '', body: bytes }
    const reason = `it answered ${status}`
    if (!PASSING.has(status)) return { kind: 'refused', reason }
    const after = retryAfter(answer.headers.get('retry-after'))
    return { kind: 'later', reason, ...(after !== undefined && { after }) }
  } catch (error) {
    return { kind: 'later', reason: late.aborted ? `no answer within ${timeout} ms` : reasonOf(error) }
  }
}

/** @param value seconds, or a date */
function retryAfter(value: string | null): number | undefined {
  if (value === null) return undefined
  const wait = /^\d{1,6}$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now()
  return wait >= 0 ? wait : undefined
}

/** The message of a fault, which names no header and no body. */
export const reasonOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'it cannot be reached'
