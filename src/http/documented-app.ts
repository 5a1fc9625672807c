import { Elysia } from 'elysia'
import { documented, routes } from './documentation.ts'
import { openapiRoutes } from './openapi.ts'

/**
 * An app with every documented route and nothing behind them: enough to make the document without a configuration, a
 * database or a port.
 */
export function documentedApp() {
  const nothing = () => new Response(null, { status: 501 })
  const app = new Elysia()
  const own = routes.getOpenapiDocument.path
  for (const { method, path, detail } of documented)
    if (path !== own) app.route(method, path, nothing, { parse: 'none', detail })
  return app.use(openapiRoutes())
}
