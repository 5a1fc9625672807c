import { Elysia } from 'elysia'
import type { Permission } from '../../config/schema.ts'
import { GatewayFault } from '../../gateway/fault.ts'
import type { Gateway } from '../../gateway/index.ts'
import { notFound } from '../faults.ts'
import { pathOf } from '../path.ts'
import { analytics } from './analytics.ts'
import { managementFault } from './answers.ts'
import { billing, noPayments } from './billing.ts'
import { cache } from './cache.ts'
import type { ManagementHandler } from './call.ts'
import { customProviders } from './custom-providers.ts'
import { datasets } from './datasets.ts'
import { type ManagementOperation, managementOperations } from './documentation.ts'
import { payments } from './documentation-billing.ts'
import { BASE, TOKENS } from './documentation-parts.ts'
import { evaluations } from './evaluations.ts'
import { explanations } from './explain.ts'
import { gateways } from './gateways.ts'
import { graphql } from './graphql.ts'
import { logExport } from './log-export.ts'
import { logs } from './logs.ts'
import { policies } from './policies.ts'
import { providerConfigs } from './provider-configs.ts'
import { routes } from './routes.ts'
import { tokens } from './tokens.ts'
import { urls } from './urls.ts'

/** What Elysia hands to a handler, as far as it is asked for. */
interface Call {
  request: Request
  /** Absent where the address has no part with a name. */
  params?: Record<string, string>
}

const USER_TOKENS = '/client/v4/user/tokens'

/** Every documented operation and what does it. */
const handlers: Record<ManagementOperation, ManagementHandler> = {
  ...gateways,
  ...cache,
  ...customProviders,
  ...routes,
  ...policies,
  ...providerConfigs,
  ...tokens,
  ...urls,
  ...billing,
  ...logs,
  ...logExport,
  ...datasets,
  ...evaluations,
  ...analytics,
  ...graphql,
  ...explanations,
}

/** Operations that need another permission than their method says; `any` token will do for those that look at itself. */
const permissions: Partial<Record<ManagementOperation, Permission | 'any'>> = {
  simulatePolicies: 'read',
  queryGraphql: 'read',
  verifyToken: 'any',
  verifyUserToken: 'any',
}

/**
 * The management API of Cloudflare AI Gateway (contract 11). A token needs the permission `read` to look, and `edit` for
 * anything else.
 */
export function managementRoutes(gateway: Gateway) {
  const served =
    (handle: ManagementHandler, permission: Permission | 'any') =>
    async ({ request, params = {} }: Call): Promise<Response> => {
      try {
        const manager = await gateway.manager(
          request.headers,
          params.account,
          permission === 'any' ? undefined : permission,
        )
        return await handle({ request, params, manager })
      } catch (fault) {
        if (!(fault instanceof GatewayFault)) gateway.report(fault, pathOf(request.url))
        return managementFault(fault)
      }
    }

  const plugin = new Elysia({ name: 'management' })
  for (const [name, { method, path, detail }] of Object.entries(managementOperations)) {
    const operation = name as ManagementOperation
    const permission = permissions[operation] ?? (method === 'GET' ? 'read' : 'edit')
    plugin.route(method, path, served(handlers[operation], permission), { parse: 'none', detail })
  }
  for (const [method, path] of payments)
    plugin.route(method, path, served(noPayments, 'edit'), { parse: 'none', detail: { hide: true } })
  const nowhere = ({ request }: { request: Request }) => managementFault(notFound(request))
  for (const base of [BASE, TOKENS, USER_TOKENS])
    plugin.all(`${base}/*`, nowhere, { parse: 'none', detail: { hide: true } })
  return plugin
}
