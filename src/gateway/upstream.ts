import type { Outgoing } from '../providers/auth/auth.ts'
import type { CallSignal } from './transport/abort.ts'
import type { Answer } from './transport/answer.ts'
import { request } from './transport/request.ts'

/** The one place where Postern calls out, so that the transport can be replaced without touching the way of a request. */

export type UpstreamAnswer = Answer

/**
 * Calls a provider. There is no time-out for the answer here (reasoning models are silent for minutes): the caller's
 * signal decides. Redirects are not followed, because they would carry the key to another host.
 * @throws whatever the network says, and the signal's reason
 */
export const upstream: (outgoing: Outgoing, signal: CallSignal) => Promise<UpstreamAnswer> = request
