/** What code written for Cloudflare's `env.AI` gives and gets (contract 1.10, 14.3). */

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface AIOptions {
  /** Where Postern listens, as `http://127.0.0.1:8787`. */
  url: string
  /** A token of the gateway. */
  token: string
  /** The account in addresses. */
  account?: string
  /** Stands in for the global `fetch`. */
  fetch?: Fetch
}

/** What may be set for one call; each becomes a `cf-aig-*` header. */
export interface GatewayOptions {
  /** The gateway's id, for `AI.run`; a gateway's own `run` has it already. */
  id?: string
  skipCache?: boolean
  /** In seconds. */
  cacheTtl?: number
  cacheKey?: string
  metadata?: Record<string, number | string | boolean | null | bigint>
  collectLog?: boolean
  eventId?: string
  /** Milliseconds to the first byte. */
  requestTimeoutMs?: number
  retries?: { maxAttempts?: number; retryDelayMs?: number; backoff?: 'constant' | 'linear' | 'exponential' }
}

/** One step of the universal endpoint. */
export interface UniversalStep {
  provider: string
  endpoint: string
  /** Values that are no strings are written as text: numbers, booleans, and objects as JSON. */
  headers?: Record<string, unknown> | Headers
  query?: unknown
  config?: unknown
  [more: string]: unknown
}

export interface UniversalOptions {
  gateway?: GatewayOptions
  extraHeaders?: Record<string, string>
  signal?: AbortSignal
}

export interface RunOptions extends UniversalOptions {
  /** Gives the answer itself instead of what is in it. */
  returnRawResponse?: boolean
}

/** The record of a request: its own members as the management address tells them. */
export interface GatewayLog {
  id: string
  created_at: Date
  [member: string]: unknown
}

export interface LogPatch {
  score?: number | null
  feedback?: -1 | 1 | null
  metadata?: Record<string, number | string | boolean | null | bigint> | null
}

export interface AIGateway {
  /**
   * Tries the steps in turn, a single one too.
   * @returns the first success, or the last failure, as its provider said it; `cf-aig-step` tells which
   */
  run(data: UniversalStep | readonly UniversalStep[], options?: UniversalOptions): Promise<Response>
  /** The base address for a provider's own client; without a provider that of the universal endpoint. No slash at its end. */
  getUrl(provider?: string): Promise<string>
  /** @throws AiGatewayLogNotFound */
  getLog(id: string): Promise<GatewayLog>
  /** @throws AiGatewayLogNotFound */
  patchLog(id: string, patch: LogPatch): Promise<void>
}

export interface AI {
  /** The record of the last {@link AI.run}, where one was made. */
  readonly aiGatewayLogId: string | null
  gateway(id: string): AIGateway
  /** Asks what Workers' clients ask of the binding's own host: the rest of a stream that broke off. */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>
  /**
   * Runs one model: `author/model`, or `@cf/…`.
   * @returns the answer's JSON, or the bytes of a stream or of what is no JSON
   * @throws AiError, whose message is `<code>: <text>`
   */
  run(model: string, inputs: object, options: RunOptions & { returnRawResponse: true }): Promise<Response>
  run<Result = unknown>(model: string, inputs: object, options?: RunOptions): Promise<Result>
}
