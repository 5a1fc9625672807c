import { Elysia } from 'elysia'
import { GatewayFault } from '../../gateway/fault.ts'
import type { Gateway } from '../../gateway/index.ts'
import { notFound } from '../faults.ts'
import { pathOf } from '../path.ts'
import { managementFault } from './answers.ts'
import { billing, noPayments } from './billing.ts'
import type { ManagementHandler } from './call.ts'
import { type ManagementOperation, managementOperations } from './documentation.ts'
import { payments } from './documentation-billing.ts'
import { BASE } from './documentation-parts.ts'
import { providerConfigs } from './provider-configs.ts'
import { urls } from './urls.ts'

/** What Elysia hands to a handler, as far as it is asked for. */
interface Call {
  request: Request
  params: Record<string, string>
}

/** Every documented operation and what does it. */
const handlers: Record<ManagementOperation, ManagementHandler> = { ...providerConfigs, ...billing, ...urls }

/**
 * The management API of Cloudflare AI Gateway (contract 11). A token needs the permission `read` to look, and `edit` for
 * anything else.
 */
export function managementRoutes(gateway: Gateway) {
  const served =
    (handle: ManagementHandler, permission: 'read' | 'edit') =>
    async ({ request, params }: Call): Promise<Response> => {
      try {
        const manager = await gateway.manager(request.headers, params.account ?? '', permission)
        return await handle({ request, params, manager })
      } catch (fault) {
        if (!(fault instanceof GatewayFault)) gateway.report(fault, pathOf(request.url))
        return managementFault(fault)
      }
    }

  const plugin = new Elysia({ name: 'management' })
  for (const [name, { method, path, detail }] of Object.entries(managementOperations)) {
    const handle = handlers[name as ManagementOperation]
    plugin.route(method, path, served(handle, method === 'GET' ? 'read' : 'edit'), { parse: 'none', detail })
  }
  for (const [method, path] of payments)
    plugin.route(method, path, served(noPayments, 'edit'), { parse: 'none', detail: { hide: true } })
  return plugin.all(`${BASE}/*`, ({ request }: { request: Request }) => managementFault(notFound(request)), {
    parse: 'none',
    detail: { hide: true },
  })
}
