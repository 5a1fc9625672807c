import { type TSchema, Type } from '@sinclair/typebox'
import { open } from '../open.ts'
import { Route, RouteDeployment, RouteVersion, RouteVersionDetail, ShortRoute } from '../route.ts'
import { enveloped } from './envelope.ts'

/** Answers about dynamic routes (contract 7.6), where Cloudflare leaves its own envelope here and there. */

/** A list stands in `data`, and says nothing of how many there are. */
const listed = <S extends TSchema, N extends string>($id: string, name: N, item: S) =>
  open(
    {
      success: Type.Literal(true),
      data: open({
        [name]: Type.Array(item),
        page: Type.Integer(),
        per_page: Type.Integer(),
        order_by: Type.String(),
        order_by_direction: Type.String(),
      } as Record<N | 'page' | 'per_page' | 'order_by' | 'order_by_direction', TSchema>),
    },
    { $id },
  )

export const RouteAnswer = enveloped('RouteAnswer', Route)
export const ShortRouteAnswer = enveloped('ShortRouteAnswer', ShortRoute)
export const RouteVersionAnswer = enveloped('RouteVersionAnswer', RouteVersionDetail)
export const RenamedRoute = open({ success: Type.Literal(true), route: Route }, { $id: 'RenamedRoute' })
export const RouteList = listed('RouteList', 'routes', Route)
export const RouteVersionList = listed('RouteVersionList', 'versions', RouteVersion)
export const RouteDeploymentList = listed('RouteDeploymentList', 'deployments', RouteDeployment)
