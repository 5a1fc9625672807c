import { dollarsOf } from '../../costs/money.ts'
import { demandManaged, type Manager, notThere } from '../../gateway/manage.ts'
import { DeleteLogsQuery, LONGEST_ENTRY, LogChange, LogsQuery, MOST_ENTRIES } from '../../schemas/management/logs.ts'
import type { BodyName, MetaInfo, RecordChange, StoredRecord } from '../../storage/records/types.ts'
import { invalid, success } from './answers.ts'
import type { ManagementHandler } from './call.ts'
import { bodyReader, queryReader } from './input.ts'
import { refusedFilter, selectionIn } from './log-selection.ts'
import { detailOf, logOf, typeOf } from './log-shown.ts'
import { pageIn } from './paging.ts'

/** Logs (contract 8.2). Whoever may look at a gateway sees the bodies, too. */

const readQuery = queryReader(LogsQuery)
const readDelete = queryReader(DeleteLogsQuery)
const readChange = bodyReader(LogChange)

const listLogs: ManagementHandler = async ({ request, params, manager }) => {
  const { gateway, records } = scopeOf(manager, params)
  const said = readQuery(request)
  const { page, per_page } = pageIn(said)
  const query = { ...selectionIn(request.url, said), page, perPage: per_page, metaInfo: said.meta_info === true }
  const found = await records.list(gateway, query).catch(thrown => Promise.reject(refusedFilter(thrown)))
  const info = {
    page,
    per_page,
    count: found.records.length,
    total_count: found.total,
    total_pages: Math.ceil(found.total / per_page),
    ...(found.metaInfo && extents(found.metaInfo)),
  }
  return success(found.records.map(logOf), { info })
}

const getLog: ManagementHandler = async ({ params, manager }) => {
  const { gateway, records } = scopeOf(manager, params)
  const record = await found(manager, params)
  const [request, response] = await Promise.all([
    records.body(gateway, record.id, 'request'),
    records.body(gateway, record.id, 'answer'),
  ])
  return success(detailOf(record, request, response))
}

const changeLog: ManagementHandler = async ({ request, params, manager }) => {
  const { gateway, records } = scopeOf(manager, params)
  const { value, notes } = await readChange(request, manager.settings.config.server.max_body)
  const { id } = await found(manager, params)
  const { feedback, score, metadata } = value
  if (metadata) demandShort(metadata)
  const change: RecordChange = {
    ...(feedback !== undefined && { feedback }),
    ...(score !== undefined && { score }),
    ...(metadata !== undefined && { metadata }),
  }
  if (Object.keys(change).length && !(await records.patch(gateway, id, change))) throw notThere('log')
  return success(logOf(await found(manager, params)), { notes })
}

/** Without an envelope's result (contract 11.1). */
const deleteLogs: ManagementHandler = async ({ request, params, manager }) => {
  const { gateway, records } = scopeOf(manager, params)
  const { limit, ...said } = readDelete(request)
  const selection = selectionIn(request.url, said)
  const removed = await records.remove(gateway, selection, limit).catch(thrown => Promise.reject(refusedFilter(thrown)))
  manager.settings.log.info({ by: manager.caller.name, gateway, removed }, 'logs removed')
  return Response.json({ success: true })
}

const getLogRequestBody: ManagementHandler = ({ params, manager }) => bodyAnswer(manager, params, 'request')
const getLogResponseBody: ManagementHandler = ({ params, manager }) => bodyAnswer(manager, params, 'answer')

export const logs = { listLogs, getLog, changeLog, deleteLogs, getLogRequestBody, getLogResponseBody }

type Params = Readonly<Record<string, string>>

export function scopeOf(manager: Manager, { gateway = '' }: Params) {
  demandManaged(manager, gateway)
  return { gateway, records: manager.settings.live.records }
}

async function bodyAnswer(manager: Manager, params: Params, name: BodyName): Promise<Response> {
  const { gateway, records } = scopeOf(manager, params)
  const record = await found(manager, params)
  const body = await records.body(gateway, record.id, name)
  if (!body) throw notThere('body on record')
  const headers = {
    'content-type': typeOf(body, name === 'request' ? record.requestType : record.answerType),
    // What somebody else wrote is shown to no browser as a page of ours.
    'content-security-policy': "default-src 'none'; sandbox",
    'x-content-type-options': 'nosniff',
    ...(body.cut && { 'postern-cut': String(body.size) }),
  }
  return new Response(body.bytes, { headers })
}

/** @throws GatewayFault 400/7001 */
function demandShort(metadata: object): void {
  const entries = Object.entries(metadata)
  if (entries.length > MOST_ENTRIES || entries.some(([key, value]) => `${key}${value}`.length > LONGEST_ENTRY))
    throw invalid('body', {
      path: 'metadata',
      message: `metadata: expected at most ${MOST_ENTRIES} entries of ${LONGEST_ENTRY} characters`,
    })
}

/** A record is written a moment after its answer has ended, and whoever got the answer may ask for it at once. */
const WAIT_MS = 1_500
const LOOK_AGAIN_MS = 100
const LATELY_MS = 600_000

/** @throws GatewayFault 404/7002 */
async function found(manager: Manager, params: Params): Promise<StoredRecord> {
  const { gateway, records } = scopeOf(manager, params)
  const { id = '' } = params
  for (let waited = 0; ; waited += LOOK_AGAIN_MS) {
    const record = await records.get(gateway, id)
    if (record) return record
    if (waited >= WAIT_MS || !isOfLate(id)) throw notThere('log')
    await Bun.sleep(LOOK_AGAIN_MS)
  }
}

/** The first 48 bits of a UUID of version 7 are the time when it was made. */
function isOfLate(id: string): boolean {
  const [, high, low] = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/i.exec(id) ?? []
  const age = Date.now() - Number.parseInt(`${high}${low}`, 16)
  return age > -LATELY_MS && age < LATELY_MS
}

function extents({ cost, duration, tokensIn, tokensOut, tokens }: MetaInfo): Record<string, number> {
  return {
    ...(cost && { min_cost: dollarsOf(cost.min), max_cost: dollarsOf(cost.max) }),
    ...(duration && { min_duration: duration.min, max_duration: duration.max }),
    ...(tokensIn && { min_tokens_in: tokensIn.min, max_tokens_in: tokensIn.max }),
    ...(tokensOut && { min_tokens_out: tokensOut.min, max_tokens_out: tokensOut.max }),
    ...(tokens && { min_total_tokens: tokens.min, max_total_tokens: tokens.max }),
  }
}
