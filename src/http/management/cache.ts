import { namedAnswerKey } from '../../gateway/cache/key.ts'
import { demandManaged } from '../../gateway/manage.ts'
import { PurgeCache } from '../../schemas/management/gateways.ts'
import { success } from './answers.ts'
import type { ManagementHandler } from './call.ts'
import { bodyReader } from './input.ts'

const readPurge = bodyReader(PurgeCache)

/** Throws away what is kept of a gateway's answers: all, or the one with a key that its client chose. Not of Cloudflare's. */
const purgeCache: ManagementHandler = async ({ request, params, manager }) => {
  const { gateway = '' } = params
  demandManaged(manager, gateway)
  const { settings, caller } = manager
  const { value, notes } = hasBody(request)
    ? await readPurge(request, settings.config.server.max_body)
    : { value: {} as PurgeCache, notes: [] }
  const { key } = value
  const purged = await settings.live.cache.purge(gateway, key === undefined ? undefined : namedAnswerKey(gateway, key))
  settings.log.info({ by: caller.name, gateway, purged, ...(key !== undefined && { one: true }) }, 'cache purged')
  return success({ purged }, { notes })
}

const hasBody = ({ headers }: Request) =>
  headers.has('transfer-encoding') || Number(headers.get('content-length') ?? 0) > 0

export const cache = { purgeCache }
