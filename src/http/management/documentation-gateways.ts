import {
  GatewayAnswer,
  GatewayPage,
  GatewayReplacement,
  GatewaysQuery,
  NewGateway,
  PurgeCache,
  PurgedAnswer,
} from '../../schemas/management/gateways.ts'
import { account, accountAndGateway } from '../documentation-headers.ts'
import { route } from '../documentation-operation.ts'
import { ALWAYS, answer, BASE, body, GATEWAY, OF_CHANGE, OF_ONE, operation, query } from './documentation-parts.ts'

/** Gateways in the document (contract 11.2). */

const settings = {
  cache_invalidate_on_update: true,
  cache_ttl: 300,
  collect_logs: true,
  rate_limiting_interval: 60,
  rate_limiting_limit: 600,
  rate_limiting_technique: 'sliding',
  authentication: true,
}
const example = {
  id: 'lab',
  ...settings,
  is_default: false,
  created_at: '2026-11-20T09:00:00.000Z',
  modified_at: '2026-11-20T09:00:00.000Z',
}
const aGateway = answer(GatewayAnswer, example)
const info = { page: 1, per_page: 20, count: 1, total_count: 1, total_pages: 1 }

export const gatewayOperations = {
  listGateways: route(
    'GET',
    `${BASE}/gateways`,
    operation('listGateways', 'List the gateways', {
      description: 'Those of the configuration (`declared`) and those of the store, as far as the token opens them.',
      parameters: [account, ...query(GatewaysQuery)],
      answer: answer(GatewayPage, [example], info),
      refusals: ALWAYS,
    }),
  ),
  createGateway: route(
    'POST',
    `${BASE}/gateways`,
    operation('createGateway', 'Make a gateway', {
      parameters: [account],
      requestBody: body(NewGateway, { id: 'lab', ...settings }),
      answer: aGateway,
      refusals: [...ALWAYS, 409, 413],
    }),
  ),
  getGateway: route(
    'GET',
    GATEWAY,
    operation('getGateway', 'Look at a gateway', { parameters: accountAndGateway, answer: aGateway, refusals: OF_ONE }),
  ),
  replaceGateway: route(
    'PUT',
    GATEWAY,
    operation('replaceGateway', 'Put the settings of a gateway anew', {
      description:
        'What is left out goes back to its default. Requests follow at once, in other processes within two seconds.',
      parameters: accountAndGateway,
      requestBody: body(GatewayReplacement, settings),
      answer: aGateway,
      refusals: OF_CHANGE,
    }),
  ),
  deleteGateway: route(
    'DELETE',
    GATEWAY,
    operation('deleteGateway', 'Remove a gateway', {
      description:
        'With its routes, policies, provider keys and kept answers. `default` is made again when it is next used.',
      parameters: accountAndGateway,
      answer: aGateway,
      refusals: [...OF_ONE, 409],
    }),
  ),
  purgeCache: route(
    'POST',
    `${GATEWAY}/cache/purge`,
    operation('purgeCache', 'Throw kept answers away', {
      description:
        'All of a gateway, or the one with a `cf-aig-cache-key`. The body may be left out. Not of Cloudflare’s.',
      parameters: accountAndGateway,
      requestBody: { ...body(PurgeCache, { key: 'the-weather' })!, required: false },
      answer: answer(PurgedAnswer, { purged: 12 }),
      refusals: [...OF_ONE, 413],
    }),
  ),
}
