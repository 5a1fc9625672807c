import { Paging } from '../../schemas/management/envelope.ts'
import {
  RenamedRoute,
  RouteAnswer,
  RouteDeploymentList,
  RouteList,
  RouteVersionAnswer,
  RouteVersionList,
  ShortRouteAnswer,
} from '../../schemas/management/routes.ts'
import { CreateRoute, CreateRouteDeployment, CreateRouteVersion, RenameRoute } from '../../schemas/route.ts'
import { json } from '../documentation-errors.ts'
import { accountAndGateway, componentOf, pathParameter } from '../documentation-headers.ts'
import { route } from '../documentation-operation.ts'
import { answer, body, GATEWAY, OF_CHANGE, OF_ONE, operation, query } from './documentation-parts.ts'

/** Dynamic routes in the document (contract 7.6). */

const ROUTES = `${GATEWAY}/routes`
const ONE = `${ROUTES}/:id`

const elements = [
  { id: 'start', type: 'start', outputs: { next: { elementId: 'big' } } },
  {
    id: 'big',
    type: 'model',
    properties: { provider: 'anthropic', model: 'claude-sonnet-4-5', timeout: 20_000, retries: 2 },
    outputs: { success: { elementId: 'end' }, fallback: { elementId: 'small' } },
  },
  {
    id: 'small',
    type: 'model',
    properties: { provider: 'openai', model: 'gpt-5-mini', timeout: 10_000, retries: 1 },
    outputs: { success: { elementId: 'end' }, fallback: { elementId: 'end' } },
  },
  { id: 'end', type: 'end', outputs: {} },
]
const at = '2026-11-20T09:00:00.000Z'
const short = {
  id: '019a9f0c-6f5e-7c3a-9d51-0a6b1a3f2e77',
  name: 'support',
  gateway_id: 'default',
  elements,
  created_at: at,
  modified_at: at,
}
const version = {
  version_id: '019a9f0c-6f5e-7c3a-9d51-0a6b1a3f2e78',
  active: 'true',
  data: JSON.stringify(elements),
  is_valid: true,
  created_at: at,
}
const deployment = {
  deployment_id: '019a9f0c-6f5e-7c3a-9d51-0a6b1a3f2e79',
  version_id: version.version_id,
  created_at: at,
}
const whole = { ...short, deployment, version }

const aRoute = answer(RouteAnswer, whole)
const aShortRoute = answer(ShortRouteAnswer, short)
const one = [...accountAndGateway, componentOf('Route', pathParameter('id', 'The id of the route.', short.id))]
const listed = (name: string, item: unknown) => ({
  success: true,
  data: { [name]: [item], page: 1, per_page: 20, order_by: 'created_at', order_by_direction: 'asc' },
})
const withoutEnvelope = 'The answer, which has no `result`.'

export const routeOperations = {
  listRoutes: route(
    'GET',
    ROUTES,
    operation('listRoutes', 'List the dynamic routes', {
      description: 'Those of the file first; their ids begin with `file:`.',
      parameters: [...accountAndGateway, ...query(Paging)],
      answer: json(withoutEnvelope, RouteList, listed('routes', whole)),
      refusals: OF_ONE,
    }),
  ),
  createRoute: route(
    'POST',
    ROUTES,
    operation('createRoute', 'Make a dynamic route', {
      description: 'With a first version, which is live at once. Everything that is wrong with the graph is told.',
      parameters: accountAndGateway,
      requestBody: body(CreateRoute, { name: 'support', elements }),
      answer: aRoute,
      refusals: OF_CHANGE,
    }),
  ),
  getRoute: route(
    'GET',
    ONE,
    operation('getRoute', 'Look at a dynamic route', { parameters: one, answer: aRoute, refusals: OF_ONE }),
  ),
  renameRoute: route(
    'PATCH',
    ONE,
    operation('renameRoute', 'Rename a dynamic route', {
      parameters: one,
      requestBody: body(RenameRoute, { name: 'support' }),
      answer: json(withoutEnvelope, RenamedRoute, { success: true, route: { ...whole, account_tag: 'home' } }),
      refusals: OF_CHANGE,
    }),
  ),
  deleteRoute: route(
    'DELETE',
    ONE,
    operation('deleteRoute', 'Remove a dynamic route', {
      parameters: one,
      answer: aShortRoute,
      refusals: [...OF_ONE, 409],
    }),
  ),
  listRouteVersions: route(
    'GET',
    `${ONE}/versions`,
    operation('listRouteVersions', 'List the versions of a route', {
      description: 'The newest first.',
      parameters: [...one, ...query(Paging)],
      answer: json(withoutEnvelope, RouteVersionList, listed('versions', version)),
      refusals: OF_ONE,
    }),
  ),
  createRouteVersion: route(
    'POST',
    `${ONE}/versions`,
    operation('createRouteVersion', 'Add a version to a route', {
      description: 'It serves once it is deployed.',
      parameters: one,
      requestBody: body(CreateRouteVersion, { elements }),
      answer: aShortRoute,
      refusals: OF_CHANGE,
    }),
  ),
  getRouteVersion: route(
    'GET',
    `${ONE}/versions/:version`,
    operation('getRouteVersion', 'Look at a version of a route', {
      parameters: [...one, pathParameter('version', 'The id of the version.', version.version_id)],
      answer: answer(RouteVersionAnswer, { ...short, ...version }),
      refusals: OF_ONE,
    }),
  ),
  listRouteDeployments: route(
    'GET',
    `${ONE}/deployments`,
    operation('listRouteDeployments', 'List the deployments of a route', {
      description: 'The newest first: that one is live.',
      parameters: [...one, ...query(Paging)],
      answer: json(withoutEnvelope, RouteDeploymentList, listed('deployments', deployment)),
      refusals: OF_ONE,
    }),
  ),
  createRouteDeployment: route(
    'POST',
    `${ONE}/deployments`,
    operation('createRouteDeployment', 'Deploy a version of a route', {
      description: 'It serves at once, in other processes within two seconds. An older version may be deployed again.',
      parameters: one,
      requestBody: body(CreateRouteDeployment, { version_id: version.version_id }),
      answer: aShortRoute,
      refusals: OF_CHANGE,
    }),
  ),
}
