import { Elysia } from 'elysia'
import { routes } from './documentation.ts'
import { openapiRoutes } from './openapi.ts'

/**
 * An app with every documented route and nothing behind them: enough to make the document without a configuration, a
 * database or a port.
 */
export function documentedApp() {
  const nothing = () => new Response(null, { status: 501 })
  return new Elysia()
    .post(routes.createChatCompletion.path, nothing, { parse: 'none', detail: routes.createChatCompletion.detail })
    .post(routes.createGatewayChatCompletion.path, nothing, {
      parse: 'none',
      detail: routes.createGatewayChatCompletion.detail,
    })
    .get(routes.listModels.path, nothing, { detail: routes.listModels.detail })
    .get(routes.listGatewayModels.path, nothing, { detail: routes.listGatewayModels.detail })
    .get(routes.getHealth.path, nothing, { detail: routes.getHealth.detail })
    .get(routes.getReadiness.path, nothing, { detail: routes.getReadiness.detail })
    .use(openapiRoutes())
}
