/**
 * An answer of the gateway's own that says what was wrong, where, and what to do. The surface that the client speaks to
 * decides its shape; nothing in it repeats the client's input, a key or a stack.
 */
export class GatewayFault extends Error {
  readonly status: number
  /** OpenAI's error type. */
  readonly type: string
  /** Our word for the fault, for programs. */
  readonly code: string
  /** The field or header that is at fault. */
  readonly param?: string
  /** Cloudflare's number for it (contract 2.5), where it has one. */
  readonly number?: number
  /** Seconds after which trying again makes sense. */
  readonly retryAfter?: number
  /** What the answer is to say of its request; put here when the fault is put on record. */
  told?: Headers
  /** The limit that is used up. */
  rateLimit?: { limit: number; remaining: number; reset: number }

  constructor(fault: FaultParts) {
    super(fault.message)
    this.status = fault.status
    this.type = fault.type ?? (fault.status >= 500 ? 'server_error' : 'invalid_request_error')
    this.code = fault.code
    this.param = fault.param
    this.number = fault.number
    this.retryAfter = fault.retryAfter
  }
}

export interface FaultParts {
  status: number
  message: string
  code: string
  type?: string
  param?: string
  number?: number
  retryAfter?: number
}

/** The token is missing or wrong. Which of the two is not told apart, nor whether the account exists. */
export const unauthorized = () =>
  new GatewayFault({
    status: 401,
    number: 2009,
    code: 'unauthorized',
    type: 'authentication_error',
    message:
      'Unauthorized: send a token of this gateway as `cf-aig-authorization: Bearer <token>` or as `Authorization: Bearer <token>`',
  })

export const noSuchGateway = (id: string) =>
  new GatewayFault({
    status: 400,
    number: 2001,
    code: 'gateway_not_configured',
    message: `Please configure AI Gateway: there is no gateway "${id}"; declare it under gateways in postern.yaml, or use "default"`,
  })

/** A failure between us and the provider. */
export function upstreamFault(
  kind: 'unreachable' | 'timeout' | 'closed',
  provider: string,
  detail: string,
): GatewayFault {
  return new GatewayFault({
    status: kind === 'timeout' ? 504 : 502,
    number: 2005,
    code: `upstream_${kind}`,
    type: kind === 'timeout' ? 'timeout_error' : 'server_error',
    message: `no answer from ${provider}: ${detail}`,
  })
}

/** What the client sent does not fit. @param param the field at fault, where it is one */
export const invalidRequest = (message: string, param?: string) =>
  new GatewayFault({ status: 400, code: 'invalid_request', message, ...(param && { param }) })

export const noSuchProvider = (slug: string) =>
  new GatewayFault({
    status: 400,
    number: 2008,
    code: 'invalid_provider',
    message: `Invalid provider: there is no provider "${slug.slice(0, 64)}"; servers of your own go under custom_providers in postern.yaml`,
  })

/** The provider's credential cannot be used, or what it is exchanged at cannot be reached. */
export const credentialRefused = (provider: string, reason: string) =>
  new GatewayFault({ status: 502, code: 'provider_credential', message: `${provider}: ${reason}` })
