import { GatewayFault } from '../../gateway/fault.ts'
import { GraphQLQuery } from '../../schemas/management/graphql.ts'
import { faultHeaders } from '../faults.ts'
import type { ManagementHandler } from './call.ts'
import { bodyReader } from './input.ts'

/**
 * The GraphQL datasets of analytics (contract 9.2). Whatever a query comes to is answered in GraphQL's own form; what
 * Cloudflare's front says of tokens stands in its envelope there, too.
 */

const readQuery = bodyReader(GraphQLQuery)
const MOST_BYTES = 256 * 1024

const queryGraphql: ManagementHandler = async ({ request, manager }) => {
  try {
    const { value } = await readQuery(request, Math.min(MOST_BYTES, manager.settings.config.server.max_body))
    const { runQuery } = await import('../graphql/run.ts')
    return Response.json(await runQuery(value, manager))
  } catch (thrown) {
    if (!(thrown instanceof GatewayFault)) throw thrown
    const body = { data: null, errors: [{ message: thrown.message, extensions: { code: thrown.code } }] }
    return new Response(JSON.stringify(body), { status: thrown.status, headers: faultHeaders(thrown) })
  }
}

export const graphql = { queryGraphql }
