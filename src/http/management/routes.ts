import { declaredAt } from '../../config/declared.ts'
import { stepsOf } from '../../config/positions.ts'
import { demandManaged, type Manager, notThere } from '../../gateway/manage.ts'
import type { Graph } from '../../gateway/routes/graph.ts'
import { readGraph } from '../../gateway/routes/read-graph.ts'
import { writeElements } from '../../gateway/routes/write-elements.ts'
import { Paging } from '../../schemas/management/envelope.ts'
import {
  CreateRoute,
  CreateRouteDeployment,
  CreateRouteVersion,
  RenameRoute,
  type Route,
  type RouteDeployment,
  type RouteElement,
  type RouteVersion,
  type RouteVersionDetail,
  type ShortRoute,
} from '../../schemas/route.ts'
import type { DeploymentRow, RouteVersionRow, StoredRoute } from '../../storage/routes.ts'
import { invalid, severalInvalid, success, taken, unchangeable } from './answers.ts'
import type { ManagementHandler } from './call.ts'
import { bodyReader, queryReader } from './input.ts'
import { type Page, pageIn } from './paging.ts'

/**
 * Dynamic routes of a gateway (contract 7.6). Versions never change, and the newest deployment says which one is live.
 * Those of the file are listed first, marked with ids that begin with `file:`, and changed there.
 */

const readNew = bodyReader(CreateRoute)
const readName = bodyReader(RenameRoute)
const readVersion = bodyReader(CreateRouteVersion)
const readDeployment = bodyReader(CreateRouteDeployment)
const readPaging = queryReader(Paging)

const BOUNDS = { routes: 1_000, versions: 1_000 }
const DECLARED = 'file:'

const listRoutes: ManagementHandler = async ({ request, params, manager }) => {
  const { gateway = '' } = params
  demandManaged(manager, gateway)
  const page = pageIn(readPaging(request))
  const { offset, per_page } = page
  const declared = declaredIn(manager, gateway)
  const shown = declared.slice(offset, offset + per_page)
  const rest = per_page - shown.length
  const from = Math.max(0, offset - declared.length)
  const stored = rest ? await manager.store.routes.list(gateway, from, rest) : []
  const routes = [...shown, ...stored].map(route => ({ ...routeOf(route), account_tag: manager.account }))
  return listAnswer('routes', routes, page, 'asc')
}

const createRoute: ManagementHandler = async ({ request, params, manager }) => {
  const { gateway = '' } = params
  demandManaged(manager, gateway)
  const { settings, store } = manager
  const { value, notes } = await readNew(request, settings.config.server.max_body)
  const { name } = value
  demandFree(manager, gateway, name)
  const read = elementsIn(manager, value.elements)
  if (read instanceof Response) return read
  const made = await store.routes.add(gateway, name, read, BOUNDS)
  if (made === 'taken') throw nameTaken(name)
  if (made === 'full') throw tooMany(`a gateway has at most ${BOUNDS.routes} routes`)
  settings.routes.forget(gateway, name)
  told(manager, 'route made', made)
  return success(routeOf(made), { notes })
}

const getRoute: ManagementHandler = async ({ params, manager }) => success(routeOf(await found(manager, params)))

const renameRoute: ManagementHandler = async ({ request, params, manager }) => {
  const route = await changeable(manager, params)
  const { settings, store } = manager
  const { value } = await readName(request, settings.config.server.max_body)
  const { name } = value
  demandFree(manager, route.gateway, name)
  const renamed = await store.routes.rename(route.gateway, route.id, name)
  if (renamed === 'taken') throw nameTaken(name)
  for (const each of [route.name, name]) settings.routes.forget(route.gateway, each)
  const next = renamed === 'renamed' && (await store.routes.get(route.gateway, route.id))
  if (!next) throw notThere('route')
  told(manager, 'route renamed', next)
  return Response.json({ success: true, route: { ...routeOf(next), account_tag: manager.account } satisfies Route })
}

const deleteRoute: ManagementHandler = async ({ params, manager }) => {
  const route = await changeable(manager, params)
  const { settings, store } = manager
  if (!(await store.routes.remove(route.gateway, route.id))) throw notThere('route')
  settings.routes.forget(route.gateway, route.name)
  told(manager, 'route removed', route)
  return success(shortOf(route, route.version.elements))
}

const listRouteVersions: ManagementHandler = async ({ request, params, manager }) => {
  const route = await found(manager, params)
  const page = pageIn(readPaging(request))
  const { offset, per_page } = page
  const versions = isDeclared(route)
    ? [route.version].slice(offset)
    : await manager.store.routes.versions(route.id, offset, per_page)
  return listAnswer(
    'versions',
    versions.map(one => versionOf(route, one)),
    page,
    'desc',
  )
}

const createRouteVersion: ManagementHandler = async ({ request, params, manager }) => {
  const route = await changeable(manager, params)
  const { settings, store } = manager
  const { value, notes } = await readVersion(request, settings.config.server.max_body)
  const read = elementsIn(manager, value.elements)
  if (read instanceof Response) return read
  const made = await store.routes.addVersion(route.id, read, BOUNDS)
  if (made === 'full') throw tooMany(`a route has at most ${BOUNDS.versions} versions`)
  if (made === 'gone') throw notThere('route')
  told(manager, 'version of a route made', route, made.id)
  return success(shortOf({ ...route, modified: made.created }, made.elements), { notes })
}

const getRouteVersion: ManagementHandler = async ({ params, manager }) => {
  const route = await found(manager, params)
  const { version = '' } = params
  const one = isDeclared(route)
    ? route.version.id === version && route.version
    : await manager.store.routes.version(route.id, version)
  if (!one) throw notThere('version of the route')
  return success({ ...shortOf(route, one.elements), ...versionOf(route, one) } satisfies RouteVersionDetail)
}

const listRouteDeployments: ManagementHandler = async ({ request, params, manager }) => {
  const route = await found(manager, params)
  const page = pageIn(readPaging(request))
  const { offset, per_page } = page
  const deployments = isDeclared(route)
    ? [route.deployment].slice(offset)
    : await manager.store.routes.deployments(route.id, offset, per_page)
  return listAnswer('deployments', deployments.map(deploymentOf), page, 'desc')
}

const createRouteDeployment: ManagementHandler = async ({ request, params, manager }) => {
  const route = await changeable(manager, params)
  const { settings, store } = manager
  const { value, notes } = await readDeployment(request, settings.config.server.max_body)
  const made = await store.routes.deploy(route.id, value.version_id)
  if (!made) throw notThere('version of the route')
  settings.routes.forget(route.gateway, route.name)
  told(manager, 'version of a route deployed', route, made.version)
  const elements = (await store.routes.elements(made.version)) ?? []
  return success(shortOf({ ...route, modified: made.created }, elements), { notes })
}

export const routes = {
  listRoutes,
  createRoute,
  getRoute,
  renameRoute,
  deleteRoute,
  listRouteVersions,
  createRouteVersion,
  getRouteVersion,
  listRouteDeployments,
  createRouteDeployment,
}

const isDeclared = ({ id }: StoredRoute) => id.startsWith(DECLARED)

/** The routes of the file as if they were kept. */
function declaredIn(manager: Manager, gateway: string): StoredRoute[] {
  const { config, routes } = manager.settings
  const at = config.declared?.modified ?? Math.floor(performance.timeOrigin)
  return [...routes.declared(gateway)].map(([name, graph]) => declaredRoute(gateway, name, graph, at))
}

function declaredRoute(gateway: string, name: string, graph: Graph, at: number): StoredRoute {
  const id = `${DECLARED}${name}`
  return {
    id,
    gateway,
    name,
    version: { id, elements: writeElements(graph), created: at },
    deployment: { id, version: id, created: at },
    created: at,
    modified: at,
  }
}

async function found(manager: Manager, { gateway = '', id = '' }: Readonly<Record<string, string>>) {
  demandManaged(manager, gateway)
  const route = id.startsWith(DECLARED)
    ? declaredIn(manager, gateway).find(one => one.id === id)
    : await manager.store.routes.get(gateway, id)
  if (!route) throw notThere('route')
  return route
}

/** @throws GatewayFault 409 for a route of the file */
async function changeable(manager: Manager, params: Readonly<Record<string, string>>): Promise<StoredRoute> {
  const route = await found(manager, params)
  if (!isDeclared(route)) return route
  const { gateway, name } = route
  throw unchangeable(`the route "${name}" is declared in ${placeOf(manager, gateway, name)}: change it there`)
}

/** @throws GatewayFault 409 for a name that the file has */
function demandFree(manager: Manager, gateway: string, name: string): void {
  if (manager.settings.routes.declared(gateway).has(name))
    throw taken(`name: there is a route "${name}" already, in ${placeOf(manager, gateway, name)}`)
}

const placeOf = ({ settings: { config } }: Manager, gateway: string, name: string) =>
  declaredAt(config, ['gateways', gateway, 'routes', name]) ?? 'the configuration'

const nameTaken = (name: string) => taken(`name: there is a route "${name}" already; choose another name`)
const tooMany = (message: string) => invalid('body', { path: '', message })

/** The graph in the current names, or a refusal that tells all that is wrong with it. */
function elementsIn({ settings: { registry } }: Manager, elements: unknown): RouteElement[] | Response {
  const isProvider = (prefix: string) => registry.find(prefix) !== undefined
  const read = readGraph(elements, { isProvider, providers: registry.prefixes() })
  if ('graph' in read) return writeElements(read.graph)
  return severalInvalid(
    read.problems.map(({ pointer, message }) => ({ message, path: ['body', 'elements', ...stepsOf(pointer)] })),
  )
}

const timeOf = (at: number) => new Date(at).toISOString()

const deploymentOf = ({ id, version, created }: DeploymentRow): RouteDeployment => ({
  deployment_id: id,
  version_id: version,
  created_at: timeOf(created),
})

const versionOf = (route: StoredRoute, { id, elements, created }: RouteVersionRow): RouteVersion => ({
  version_id: id,
  active: route.version.id === id ? 'true' : 'false',
  data: JSON.stringify(elements),
  is_valid: true,
  created_at: timeOf(created),
})

const shortOf = ({ id, name, gateway, created, modified }: StoredRoute, elements: RouteElement[]): ShortRoute => ({
  id,
  name,
  gateway_id: gateway,
  elements,
  created_at: timeOf(created),
  modified_at: timeOf(modified),
})

const routeOf = (route: StoredRoute): Route => ({
  ...shortOf(route, route.version.elements),
  deployment: deploymentOf(route.deployment),
  version: versionOf(route, route.version),
})

/** Without a `result`, and without how many there are (contract 7.6). */
const listAnswer = (name: string, items: readonly unknown[], { page, per_page }: Page, direction: 'asc' | 'desc') =>
  Response.json({
    success: true,
    data: { [name]: items, page, per_page, order_by: 'created_at', order_by_direction: direction },
  })

const told = ({ settings, caller }: Manager, what: string, { id, gateway, name }: StoredRoute, version?: string) =>
  settings.log.info({ by: caller.name, gateway, route: name, id, ...(version && { version }) }, what)
