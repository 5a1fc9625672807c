import { dollarsOf } from '../../costs/money.ts'
import { GatewayFault } from '../fault.ts'
import type { PolicyLimit } from './decide.ts'

/** A refusal whose `error` is an object on every surface, and no list (contract 2.5). */
export class PolicyFault extends GatewayFault {
  constructor(
    parts: ConstructorParameters<typeof GatewayFault>[0],
    /** The whole answer. */
    readonly body: { success: false; error: { message: string; bucket?: string; spent?: number; limit?: number } },
  ) {
    super(parts)
  }
}

/** Which policy it was stands in the log alone. */
export function deniedByPolicy(): PolicyFault {
  const message = 'Access denied by policy'
  return new PolicyFault(
    { status: 403, code: 'policy_denied', type: 'permission_error', message },
    { success: false, error: { message } },
  )
}

/**
 * @param spentPico what the bucket has used of its period, in picodollars
 * @param retryAfter seconds until the period ends
 */
export function limitExceeded(
  { bucket, amountPico }: PolicyLimit,
  spentPico: number | bigint,
  retryAfter: number,
): PolicyFault {
  const message = 'Spending limit exceeded'
  const error = { message, bucket, spent: dollarsOf(spentPico), limit: dollarsOf(amountPico) }
  return new PolicyFault(
    { status: 429, code: 'policy_limit', type: 'rate_limit_error', message, retryAfter },
    { success: false, error },
  )
}
