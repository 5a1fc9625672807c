import type { Manager } from '../../gateway/manage.ts'

/** One call of the management API, by somebody who may make it. */
export interface ManagementCall {
  readonly request: Request
  /** The parts of the address that have names. */
  readonly params: Readonly<Record<string, string>>
  readonly manager: Manager
}

/** @throws GatewayFault, which the plugin puts into the envelope */
export type ManagementHandler = (call: ManagementCall) => Response | Promise<Response>
