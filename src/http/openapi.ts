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

/**
 * The documented routes alone. A `*` at the end of an address becomes a parameter, for OpenAPI has no word for it: the
 * last of the operation's path parameters stands for it.
 */
function documentedRoutes(app: RouteSource): RouteLike[] {
  return app.getGlobalRoutes().flatMap(route => {
    const detail = route.hooks?.detail
    if (!detail?.operationId || detail.hide === true) return []
    if (!route.path.endsWith('*')) return [route]
    const names = ((detail.parameters ?? []) as Json[]).filter(each => each.in === 'path').map(each => each.name)
    return [{ ...route, path: `${route.path.slice(0, -1)}:${names.at(-1)}` }]
  })
}

/** The document as swagger makes it. The app stays as it is: swagger's own routes and page are not mounted on it. */
async function draft(routes: RouteLike[], app: RouteSource): Promise<{ paths: Record<string, Record<string, Json>> }> {
  const plugin = swagger({
    path: '/page',
    specPath: '/document',
    // It takes any address with a dot for a file, `/openapi.json` too.
    excludeStaticFile: false,
  }) as unknown as RouteSource & { handle(request: Request): Promise<Response> }
  plugin.getGlobalRoutes = () => routes
  plugin.getGlobalDefinitions = () => app.getGlobalDefinitions()
  const response = await plugin.handle(new Request('http://localhost/document'))
  return (await response.json()) as { paths: Record<string, Record<string, Json>> }
}

const openApiPath = (path: string) => path.replace(/:([^/?]+)\??/g, '{$1}')

/** The details by address and method, with the schemas as objects, which swagger's text has lost. */
const detailsOf = (routes: RouteLike[]): Map<string, Json> =>
  new Map(routes.map(({ method, path, hooks }) => [`${method.toLowerCase()} ${openApiPath(path)}`, hooks!.detail!]))

const sorted = <T>(record: Record<string, T>): Record<string, T> =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))

/** The methods of an address in the order in which people look for them. */
const inOrder = (methods: Json): Json =>
  Object.fromEntries(METHODS.flatMap(method => (methods[method] ? [[method, methods[method]]] : [])))

const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options', 'trace']

/** Makes components of what operations share, in one collection. */
function sharer(place: 'parameters' | 'headers' | 'responses') {
  const components: Json = {}
  const refer = (name: string, value: unknown): Json => {
    const known = components[name]
    // One of them would be lost.
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(value))
      throw new Error(`${place}: two that differ are named "${name}"`)
    components[name] = value
    return { $ref: `#/components/${place}/${name}` }
  }
  return { place, components, refer }
}

/** Parameters, headers and named answers of operations become components. */
function shared(operations: Json[], components: Record<string, Json>): void {
  const parameters = sharer('parameters')
  const headers = sharer('headers')
  const responses = sharer('responses')
  for (const operation of operations) {
    if (Array.isArray(operation.parameters))
      operation.parameters = operation.parameters.map(({ 'x-component': name, ...each }: Json) =>
        parameters.refer(String(name ?? each.name), each),
      )
    const answers = operation.responses as Record<string, Json>
    for (const [status, response] of Object.entries(answers)) {
      const { 'x-component': name, ...answer } = response
      if (answer.headers)
        answer.headers = Object.fromEntries(
          Object.entries(answer.headers as Json).map(([name, each]) => [name, headers.refer(name, each)]),
        )
      answers[status] = typeof name === 'string' ? responses.refer(name, answer) : answer
    }
  }
  for (const { place, components: found } of [parameters, headers, responses])
    if (Object.keys(found).length > 0) components[place] = sorted(found)
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
  const routes = documentedRoutes(source)
  const written = detailsOf(routes)
  const schemas: Record<string, Json> = {}
  const operations: Json[] = []
  const paths: Record<string, Json> = {}
  for (const [path, methods] of Object.entries((await draft(routes, source)).paths)) {
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
        },
        schemas,
      ) as Json
      // One by one: in a schema `default` would be a value, here it is an answer like the others.
      operation.responses = Object.fromEntries(
        Object.entries(responses as Json).map(([status, each]) => [status, toJsonSchema(each, schemas)]),
      )
      operations.push(operation)
      paths[path] = inOrder({ ...paths[path], [method]: operation })
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
