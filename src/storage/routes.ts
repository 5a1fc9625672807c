import type { RouteElement } from '../schemas/route.ts'
import type { Database, Sql } from './database.ts'

/** A dynamic route of a gateway: a name in front of graphs, of which one is live. */
export interface StoredRoute {
  id: string
  gateway: string
  name: string
  /** The version that serves. */
  version: RouteVersionRow
  /** Since when it does. */
  deployment: DeploymentRow
  /** Milliseconds since 1970. */
  created: number
  /** Milliseconds since 1970. */
  modified: number
}

/** A graph, which never changes. */
export interface RouteVersionRow {
  id: string
  elements: RouteElement[]
  /** Milliseconds since 1970. */
  created: number
}

/** That a version was made the live one; the newest counts. */
export interface DeploymentRow {
  id: string
  version: string
  /** Milliseconds since 1970. */
  created: number
}

/** Past these bounds there are no more routes of a gateway, and no more versions of a route. */
export interface RouteBounds {
  routes: number
  versions: number
}

export interface RouteStore {
  /** The live version of the route of this name. */
  live(gateway: string, name: string): Promise<string | undefined>
  /** The graph of a version. */
  elements(version: string): Promise<RouteElement[] | undefined>
  /** The routes of a gateway, oldest first, from one of them on. */
  list(gateway: string, offset: number, count: number): Promise<StoredRoute[]>
  get(gateway: string, id: string): Promise<StoredRoute | undefined>
  /** Makes a route with a first version, which is live. */
  add(
    gateway: string,
    name: string,
    elements: readonly RouteElement[],
    bounds: RouteBounds,
  ): Promise<StoredRoute | 'taken' | 'full'>
  rename(gateway: string, id: string, name: string): Promise<'renamed' | 'taken' | 'gone'>
  /** Removes a route with its versions and deployments. @returns whether it was there */
  remove(gateway: string, id: string): Promise<boolean>
  /** The versions of a route, newest first. */
  versions(route: string, offset: number, count: number): Promise<RouteVersionRow[]>
  version(route: string, id: string): Promise<RouteVersionRow | undefined>
  /** Adds a version, which is not live yet. */
  addVersion(
    route: string,
    elements: readonly RouteElement[],
    bounds: RouteBounds,
  ): Promise<RouteVersionRow | 'full' | 'gone'>
  /** The deployments of a route, newest first. */
  deployments(route: string, offset: number, count: number): Promise<DeploymentRow[]>
  /** Makes a version the live one. @returns nothing where the route has no such version */
  deploy(route: string, version: string): Promise<DeploymentRow | undefined>
}

interface Row {
  id: string
  gateway: string
  name: string
  created: number
  modified: number
  version: string
  elements: string
  version_created: number
  deployment: string
  deployed: number
}

interface VersionRow {
  id: string
  elements: string
  created: number
}

/** Older ones of a route are forgotten. */
const MOST_DEPLOYMENTS = 1_000

const SELECT = `SELECT r.id, r.gateway, r.name, r.created, r.modified, v.id AS version, v.elements,
  v.created AS version_created, d.id AS deployment, d.created AS deployed
  FROM routes r JOIN route_deployments d ON d.id = r.deployment JOIN route_versions v ON v.id = d.version`

const routeOf = (row: Row): StoredRoute => ({
  id: row.id,
  gateway: row.gateway,
  name: row.name,
  version: { id: row.version, elements: JSON.parse(row.elements) as RouteElement[], created: row.version_created },
  deployment: { id: row.deployment, version: row.version, created: row.deployed },
  created: row.created,
  modified: row.modified,
})

const versionOf = ({ id, elements, created }: VersionRow): RouteVersionRow => ({
  id,
  elements: JSON.parse(elements) as RouteElement[],
  created,
})

/** The tables of routes, their versions and their deployments. */
export function routeStore(database: Database): RouteStore {
  return {
    async live(gateway, name) {
      const row = await database.get<{ version: string }>(
        `SELECT d.version FROM routes r JOIN route_deployments d ON d.id = r.deployment WHERE r.gateway = ? AND r.name = ?`,
        gateway,
        name,
      )
      return row?.version
    },
    async elements(version) {
      const row = await database.get<{ elements: string }>('SELECT elements FROM route_versions WHERE id = ?', version)
      return row && (JSON.parse(row.elements) as RouteElement[])
    },
    async list(gateway, offset, count) {
      const statement = `${SELECT} WHERE r.gateway = ? ORDER BY r.created, r.id LIMIT ? OFFSET ?`
      return (await database.all<Row>(statement, gateway, count, offset)).map(routeOf)
    },
    async get(gateway, id) {
      const row = await database.get<Row>(`${SELECT} WHERE r.gateway = ? AND r.id = ?`, gateway, id)
      return row && routeOf(row)
    },
    add: (gateway, name, elements, bounds) =>
      database.transaction(async sql => {
        const row = await sql.get<{ n: number }>('SELECT COUNT(*) AS n FROM routes WHERE gateway = ?', gateway)
        if (Number(row!.n) >= bounds.routes) return 'full'
        const now = Date.now()
        const id = Bun.randomUUIDv7()
        const added = await sql.run(
          `INSERT INTO routes (id, gateway, name, deployment, created, modified) VALUES (?, ?, ?, '', ?, ?)
           ON CONFLICT DO NOTHING`,
          id,
          gateway,
          name,
          now,
          now,
        )
        if (!added) return 'taken'
        const version = await putVersion(sql, id, elements, now)
        const deployment = await putDeployment(sql, id, version.id, now)
        return { id, gateway, name, version, deployment, created: now, modified: now }
      }),
    rename: (gateway, id, name) =>
      database.transaction(async sql => {
        const other = await sql.get(
          'SELECT id FROM routes WHERE gateway = ? AND name = ? AND id <> ?',
          gateway,
          name,
          id,
        )
        if (other) return 'taken'
        const changed = await sql.run(
          'UPDATE routes SET name = ?, modified = ? WHERE gateway = ? AND id = ?',
          name,
          Date.now(),
          gateway,
          id,
        )
        return changed ? 'renamed' : 'gone'
      }),
    remove: (gateway, id) =>
      database.transaction(async sql => {
        if (!(await sql.run('DELETE FROM routes WHERE gateway = ? AND id = ?', gateway, id))) return false
        await sql.run('DELETE FROM route_deployments WHERE route = ?', id)
        await sql.run('DELETE FROM route_versions WHERE route = ?', id)
        return true
      }),
    async versions(route, offset, count) {
      const statement = `SELECT id, elements, created FROM route_versions WHERE route = ?
        ORDER BY created DESC, id DESC LIMIT ? OFFSET ?`
      return (await database.all<VersionRow>(statement, route, count, offset)).map(versionOf)
    },
    async version(route, id) {
      const statement = 'SELECT id, elements, created FROM route_versions WHERE route = ? AND id = ?'
      const row = await database.get<VersionRow>(statement, route, id)
      return row && versionOf(row)
    },
    addVersion: (route, elements, bounds) =>
      database.transaction(async sql => {
        const now = Date.now()
        if (!(await sql.run('UPDATE routes SET modified = ? WHERE id = ?', now, route))) return 'gone'
        const row = await sql.get<{ n: number }>('SELECT COUNT(*) AS n FROM route_versions WHERE route = ?', route)
        if (Number(row!.n) >= bounds.versions) return 'full'
        return putVersion(sql, route, elements, now)
      }),
    async deployments(route, offset, count) {
      const statement = `SELECT id, version, created FROM route_deployments WHERE route = ?
        ORDER BY created DESC, id DESC LIMIT ? OFFSET ?`
      return database.all<DeploymentRow>(statement, route, count, offset)
    },
    deploy: (route, version) =>
      database.transaction(async sql => {
        if (!(await sql.get('SELECT id FROM route_versions WHERE route = ? AND id = ?', route, version)))
          return undefined
        const deployment = await putDeployment(sql, route, version, Date.now())
        await sql.run(
          `DELETE FROM route_deployments WHERE route = ? AND id NOT IN (SELECT id FROM route_deployments
             WHERE route = ? ORDER BY created DESC, id DESC LIMIT ${MOST_DEPLOYMENTS})`,
          route,
          route,
        )
        return deployment
      }),
  }
}

async function putVersion(
  sql: Sql,
  route: string,
  elements: readonly RouteElement[],
  now: number,
): Promise<RouteVersionRow> {
  const id = Bun.randomUUIDv7()
  await sql.insert(
    'route_versions',
    ['id', 'route', 'elements', 'created'],
    [[id, route, JSON.stringify(elements), now]],
  )
  return { id, elements: [...elements], created: now }
}

async function putDeployment(sql: Sql, route: string, version: string, now: number): Promise<DeploymentRow> {
  const id = Bun.randomUUIDv7()
  await sql.insert('route_deployments', ['id', 'route', 'version', 'created'], [[id, route, version, now]])
  await sql.run('UPDATE routes SET deployment = ?, modified = ? WHERE id = ?', id, now, route)
  return { id, version, created: now }
}
