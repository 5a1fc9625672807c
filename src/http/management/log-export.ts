import { ExportQuery } from '../../schemas/management/logs.ts'
import { walk } from '../../storage/record-walk.ts'
import type { Records } from '../../storage/records/index.ts'
import type { BodyName, StoredRecord } from '../../storage/records/types.ts'
import type { ManagementHandler } from './call.ts'
import { queryReader } from './input.ts'
import { refusedFilter, selectionIn } from './log-selection.ts'
import { logOf } from './log-shown.ts'
import { scopeOf } from './logs.ts'

/** All logs that a query asks for, one in each line, as fast as the client takes them. Not of Cloudflare's. */

const readQuery = queryReader(ExportQuery)

const exportLogs: ManagementHandler = async ({ request, params, manager }) => {
  const { gateway, records } = scopeOf(manager, params)
  const said = readQuery(request)
  const selection = selectionIn(request.url, { order_by_direction: 'asc', ...said })
  const pages = walk(records, gateway, selection)
  // What is wrong with a filter is known with the first page, before anything is sent.
  const first = await pages.next().catch(thrown => Promise.reject(refusedFilter(thrown)))
  const lines = linesOf(first, pages, record => lineOf(records, record, said.bodies === true))
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      type: 'bytes',
      async pull(controller) {
        try {
          const { value, done } = await lines.next()
          if (done) controller.close()
          else controller.enqueue(value)
        } catch (error) {
          // The answer breaks off, so that nobody takes a part for the whole.
          manager.settings.log.error({ error, gateway }, 'an export of logs broke off')
          controller.error(error)
        }
      },
      cancel: () => void lines.return(undefined),
    },
    { highWaterMark: 0 },
  )
  const headers = {
    'content-type': 'application/x-ndjson; charset=utf-8',
    'content-disposition': `attachment; filename="logs-${gateway}.ndjson"`,
    'cache-control': 'no-store',
  }
  return new Response(stream, { headers })
}

export const logExport = { exportLogs }

/** Bytes that go at once, about: lines are short. */
const PIECE = 64 * 1024
const encoder = new TextEncoder()

async function* linesOf(
  first: IteratorResult<StoredRecord[]>,
  pages: AsyncGenerator<StoredRecord[]>,
  line: (record: StoredRecord) => Promise<string> | string,
): AsyncGenerator<Uint8Array<ArrayBuffer>, undefined> {
  let text = ''
  try {
    for (let page = first; !page.done; page = await pages.next())
      for (const record of page.value) {
        const said = line(record)
        text += `${typeof said === 'string' ? said : await said}\n`
        if (text.length < PIECE) continue
        yield encoder.encode(text)
        text = ''
      }
    if (text) yield encoder.encode(text)
  } finally {
    await pages.return(undefined)
  }
}

function lineOf(records: Records, record: StoredRecord, bodies: boolean): Promise<string> | string {
  return bodies ? withBodies(records, record) : JSON.stringify(logOf(record))
}

async function withBodies(records: Records, record: StoredRecord): Promise<string> {
  return JSON.stringify({
    ...logOf(record),
    ...(await bodyOf(records, record, 'request', 'request')),
    ...(await bodyOf(records, record, 'answer', 'response')),
  })
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

async function bodyOf(records: Records, { gateway, id }: StoredRecord, name: BodyName, as: string): Promise<object> {
  const found = await records.body(gateway, id, name)
  if (!found) return {}
  try {
    return { [as]: strict.decode(found.bytes) }
  } catch {
    return { [as]: Buffer.from(found.bytes).toString('base64'), [`${as}_encoding`]: 'base64' }
  }
}
