import { swagger } from '@elysiajs/swagger'
import { type AnyElysia, Elysia } from 'elysia'
import pkg from '../../package.json' with { type: 'json' }
import { about, routes } from './documentation.ts'
import { toJsonSchema } from './openapi-schemas.ts'

/**
 * The OpenAPI document, made of the routes of the running app by @elysiajs/swagger and corrected here, in one place:
 * swagger claims multipart and plain text for every body and knows neither streams nor OpenAPI 3.1, in which the
 * schemas that validate can stand as they are.
 */

type Json = Record<string, unknown>

/** An app with the routes to document: any Elysia instance. */
export type DocumentedApp = AnyElysia

interface RouteLike {
  path: string
  method: string
  hooks?: { detail?: Json }
}

/** What Elysia's plugins use of the app that they belong to; typed as protected, though plugins need it. */
interface RouteSource {
  getGlobalRoutes(): RouteLike[]
  getGlobalDefinitions(): unknown
}

/** The document as swagger makes it. The app stays as it is: swagger's own routes and page are not mounted on it. */
async function draft(app: RouteSource): Promise<{ paths: Record<string, Record<string, Json>> }> {
  const plugin = swagger({
    path: '/page',
    specPath: '/document',
    // It takes any address with a dot for a file, `/openapi.json` too.
    excludeStaticFile: false,
  }) as unknown as RouteSource & { handle(request: Request): Promise<Response> }
  plugin.getGlobalRoutes = () => app.getGlobalRoutes()
  plugin.getGlobalDefinitions = () => app.getGlobalDefinitions()
  const response = await plugin.handle(new Request('http://localhost/document'))
  return (await response.json()) as { paths: Record<string, Record<string, Json>> }
}

const openApiPath = (path: string) => path.replace(/:([^/?]+)\??/g, '{$1}')

/** Documented operations by address and method, with the schemas as objects, which swagger's text has lost. */
function details(app: RouteSource): Map<string, Json> {
  const found = new Map<string, Json>()
  for (const route of app.getGlobalRoutes()) {
    const detail = route.hooks?.detail
    if (detail?.operationId && detail.hide !== true)
      found.set(`${route.method.toLowerCase()} ${openApiPath(route.path)}`, detail)
  }
  return found
}

const sorted = <T>(record: Record<string, T>): Record<string, T> =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))

/** Parameters and headers that several operations share become components; `place` names the collection. */
function shared(operations: Json[], components: Record<string, Json>): void {
  const parameters: Json = {}
  for (const operation of operations) {
    if (!Array.isArray(operation.parameters)) continue
    operation.parameters = operation.parameters.map((parameter: Json) => {
      const name = String(parameter.name)
      parameters[name] = parameter
      return { $ref: `#/components/parameters/${name}` }
    })
  }
  if (Object.keys(parameters).length > 0) components.parameters = sorted(parameters)
}

/**
 * Builds the document of an app.
 *
 * Only routes whose `detail` has an `operationId` are documented (see documentation.ts). Addresses and components stand
 * in alphabetical order, so that the text does not depend on the order in which plugins were mounted.
 *
 * @param app the app with all its routes mounted
 * @returns an OpenAPI 3.1 document as plain JSON
 */
export async function buildDocument(app: DocumentedApp): Promise<Json> {
  const source = app as unknown as RouteSource
  const written = details(source)
  const schemas: Record<string, Json> = {}
  const operations: Json[] = []
  const paths: Record<string, Json> = {}
  for (const [path, methods] of Object.entries((await draft(source)).paths)) {
    for (const [method, drafted] of Object.entries(methods)) {
      const detail = written.get(`${method} ${path}`)
      if (!detail) continue
      // Bodies are as the documentation declares them: with only the content types that are true.
      const { requestBody: _, parameters: __, responses: ___, ...rest } = drafted
      const { parameters, requestBody, responses } = detail
      const operation = toJsonSchema(
        {
          ...rest,
          ...(parameters !== undefined && { parameters }),
          ...(requestBody !== undefined && { requestBody }),
          responses,
        },
        schemas,
      ) as Json
      operations.push(operation)
      paths[path] = { ...paths[path], [method]: operation }
    }
  }
  const components: Record<string, Json> = { schemas: sorted(schemas) }
  shared(operations, components)
  return {
    openapi: '3.1.0',
    info: { title: about.title, version: pkg.version, description: about.description, license: about.license },
    servers: [about.server],
    security: about.security,
    tags: about.tags,
    paths: sorted(paths),
    components: { ...components, securitySchemes: about.securitySchemes },
  }
}

/** Serves the document of the app that this is mounted on at `/openapi.json`, made at the first request. */
export function openapiRoutes() {
  const plugin = new Elysia({ name: 'openapi' })
  let text: Promise<string> | undefined
  return plugin.get(
    routes.getOpenapiDocument.path,
    async () => {
      text ??= buildDocument(plugin).then(document => JSON.stringify(document))
      return new Response(await text, { headers: { 'content-type': 'application/json; charset=utf-8' } })
    },
    { detail: routes.getOpenapiDocument.detail },
  )
}
