import { closeSync, openSync } from 'node:fs'
import { logOf } from '../http/management/log-shown.ts'
import type { Database } from '../storage/database.ts'
import { walk } from '../storage/record-walk.ts'
import { lookUp } from '../storage/records/lookup.ts'
import type { RecordReader } from '../storage/records/read.ts'
import type { BodyName, StoredRecord } from '../storage/records/types.ts'
import { nothingFound, print } from './explain.ts'
import { FilterFault, type LogFilters, type ReadFilters, readFilters } from './logs-filter.ts'
import { follow } from './logs-follow.ts'
import { bodyText, headLine, recordLine, recordText } from './logs-text.ts'
import { type Paint, paintFor } from './paint.ts'
import { type RecordsAtHand, withRecords } from './records-store.ts'
import { type Sink, sinkOf } from './sink.ts'
import type { StoreOptions } from './with-store.ts'

export interface LogsOptions extends StoreOptions, LogFilters {
  /** In place of standard output. */
  sink?: Sink
}

export interface TailOptions extends LogsOptions {
  /** How many of the last. */
  lines?: number
  /** Go on with what comes. */
  follow?: boolean
  json?: boolean
  /** Ends it; Ctrl-C when left out. */
  signal?: AbortSignal
}

export interface ShowOptions extends StoreOptions {
  gateway?: string
  json?: boolean
}

export interface ExportOptions extends LogsOptions {
  /** A file; standard output when left out. */
  out?: string
  bodies?: boolean
}

const USUAL_LINES = 20

/** Reads the filters, opens the database, and knows the gateways that are asked for. */
function withFilters(
  options: LogsOptions,
  work: (at: RecordsAtHand, filters: ReadFilters, gateways: () => Promise<string[]>) => Promise<number>,
): Promise<number> {
  return withRecords(options, async at => {
    let filters: ReadFilters
    try {
      filters = readFilters(options)
    } catch (error) {
      if (!(error instanceof FilterFault)) throw error
      at.output.err(`postern: ${error.message}`)
      return 2
    }
    const { gateway } = options
    const names = async () => (gateway === undefined ? gatewaysOf(at.database) : [gateway])
    return work(at, filters, names)
  })
}

async function gatewaysOf(database: Database): Promise<string[]> {
  const rows = await database.all<{ name: string }>('SELECT name FROM record_gateways ORDER BY name')
  return rows.map(({ name }) => name)
}

/**
 * `postern logs tail`: the last records, the newest below, and with `--follow` those that come.
 *
 * @returns the exit code: 0 well, and when it was ended by Ctrl-C or its reader; 1 no database, 2 a wrong filter
 */
export async function logsTailCommand(options: TailOptions = {}): Promise<number> {
  return withFilters(options, async (at, filters, gateways) => {
    const { sink = sinkOf(1), lines = USUAL_LINES, json } = options
    const paint = paintFor(process.stdout, options.env ?? process.env)
    const { columns } = process.stdout.isTTY ? process.stdout : {}
    const width = columns ?? Number.POSITIVE_INFINITY
    const told = (record: StoredRecord) =>
      `${json ? JSON.stringify(logOf(record)) : recordLine(record, paint, width)}\n`
    const following = options.follow ? follow(at.database, at.reader, gateways) : undefined
    // Whatever comes from here on is told by it.
    await following?.begin()
    const last = await lastOf(at.reader, filters, await gateways(), lines)
    if (!last.length && !following) {
      at.output.err(`postern: nothing of that kind is on record in ${at.place}`)
      return 0
    }
    const head = json ? '' : `${headLine(paint, width)}\n`
    if (!(await sink.write(head + last.map(told).join('')))) return 0
    if (!following) return 0
    const shown = new Set(last.map(({ id }) => id))
    const ended = options.signal ?? untilInterrupted()
    for await (const records of following.records(ended)) {
      const text = records.filter(one => filters.fits(one) && !shown.has(one.id)).map(told)
      if (text.length && !(await sink.write(text.join('')))) break
    }
    return 0
  })
}

async function lastOf(
  reader: RecordReader,
  { selection }: ReadFilters,
  gateways: readonly string[],
  count: number,
): Promise<StoredRecord[]> {
  const found: StoredRecord[] = []
  for (const gateway of gateways) found.push(...(await reader.list(gateway, { ...selection, perPage: count })).records)
  return found.sort((one, other) => one.at - other.at).slice(-count)
}

/** Ctrl-C and a polite request to end: both end it well. */
function untilInterrupted(): AbortSignal {
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort())
  return controller.signal
}

const SHOWN: readonly (readonly [BodyName, string])[] = [
  ['request', 'Request'],
  ['upstream-request', 'Request to the provider'],
  ['answer', 'Answer'],
  ['upstream-answer', 'Answer of the provider'],
]

/**
 * `postern logs show <id>`: a row and its bodies.
 *
 * @param word the id of a log; of a request or an event, every record of it is shown
 * @returns the exit code: 0 shown, 1 no such record or no database, 2 a wrong configuration
 */
export async function logsShowCommand(word: string, options: ShowOptions = {}): Promise<number> {
  return withRecords(options, async at => {
    const { database, reader, output } = at
    const found = await lookUp(database, word, options.gateway)
    const paint = paintFor(process.stdout, options.env ?? process.env)
    const one = found?.records.find(({ id }) => id === found.named)
    const parts: string[] = []
    for (const { gateway, id } of one ? [one] : (found?.records ?? [])) {
      const record = await reader.get(gateway, id)
      if (record) parts.push(options.json ? await jsonOf(reader, record) : await shown(reader, record, paint))
    }
    if (!parts.length) {
      output.err(nothingFound(word, at, options.gateway))
      return 1
    }
    await print(parts.join(options.json ? '\n' : '\n\n'), output)
    const more = one && found ? found.records.length - 1 : 0
    if (more) output.err(`Its request has ${more} more: \`postern explain ${word}\` tells of all of them.`)
    return 0
  })
}

async function shown(reader: RecordReader, record: StoredRecord, paint: Paint): Promise<string> {
  const lines = recordText(record, paint)
  let any = false
  for (const [name, title] of SHOWN) {
    const body = await reader.body(record.gateway, record.id, name)
    if (!body) continue
    any = true
    lines.push('', paint('bold', title), ...bodyText(body, paint))
  }
  if (!any) lines.push('', paint('dim', 'No bodies are kept of it.'))
  return lines.join('\n')
}

/** The same object that `…/logs/export` of the management API writes. */
async function jsonOf(reader: RecordReader, record: StoredRecord): Promise<string> {
  return JSON.stringify({
    ...logOf(record),
    gateway: record.gateway,
    ...(await bodyMembers(reader, record, 'request', 'request')),
    ...(await bodyMembers(reader, record, 'upstream-request', 'upstream_request')),
    ...(await bodyMembers(reader, record, 'answer', 'response')),
  })
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

async function bodyMembers(reader: RecordReader, { gateway, id }: StoredRecord, name: BodyName, as: string) {
  const body = await reader.body(gateway, id, name)
  if (!body) return undefined
  try {
    return { [as]: decoder.decode(body.bytes) }
  } catch {
    return { [as]: Buffer.from(body.bytes).toString('base64'), [`${as}_encoding`]: 'base64' }
  }
}

/** Characters that are written at once, about. */
const PIECE = 64 * 1024

/**
 * `postern logs export`: records as JSON, one in each line, gateway after gateway in the order of time.
 *
 * @returns the exit code: 0 well, and when the reader had enough; 1 no database or no such place, 2 a wrong filter
 */
export async function logsExportCommand(options: ExportOptions = {}): Promise<number> {
  return withFilters(options, async (at, { selection }, gateways) => {
    const { out, bodies } = options
    let file: number | undefined
    try {
      // Bodies are nobody else's business.
      file = out === undefined ? undefined : openSync(out, 'w', 0o600)
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
      at.output.err(`postern: cannot write ${out}: ${code}`)
      return 1
    }
    const sink = file === undefined ? (options.sink ?? sinkOf(1)) : sinkOf(file)
    try {
      let count = 0
      let text = ''
      for (const gateway of await gateways())
        for await (const records of walk(at.reader, gateway, selection))
          for (const record of records) {
            text += `${bodies ? await jsonOf(at.reader, record) : JSON.stringify({ ...logOf(record), gateway })}\n`
            count++
            if (text.length < PIECE) continue
            if (!(await sink.write(text))) return 0
            text = ''
          }
      if (!(await sink.write(text))) return 0
      if (out !== undefined) at.output.err(`${count} ${count === 1 ? 'record' : 'records'} in ${out}`)
      return 0
    } finally {
      if (file !== undefined) closeSync(file)
    }
  })
}
