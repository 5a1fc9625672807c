import type { Database } from '../database.ts'
import { bytesOfUuid, uuidOf } from './ids.ts'

/** A record by where it stands. */
export interface RecordPlace {
  gateway: string
  id: string
}

/** What an id that somebody has at hand stands for. */
export interface Lookup {
  /** Whether it names one record, a whole request, or an event that requests are part of. */
  as: 'log' | 'request' | 'event'
  /** The request that it belongs to; the newest of an event. */
  request: string
  /** All records of that request in the order in which they were written, at most {@link MOST}. */
  records: RecordPlace[]
  /** Further requests of the event, the newest first, at most {@link MOST}. */
  others: string[]
}

/** A request has a handful of records: as many as its steps have attempts. */
const MOST = 200

interface Found {
  id: Uint8Array
  request: Uint8Array | null
}

/**
 * Finds the records that an id stands for: of a record (`cf-aig-log-id`), of a request (`cf-aig-request-id`) or of an
 * event (`cf-aig-event-id`). The first record of a request has the request's own id.
 * @param gateway the only one to look in; all when left out
 * @returns nothing when no record has it
 */
export async function lookUp(database: Database, word: string, gateway?: string): Promise<Lookup | undefined> {
  const within = gateway === undefined ? '' : ' AND record_gateways.name = ?'
  const more = gateway === undefined ? [] : [gateway]
  const find = (where: string, ...values: (string | Uint8Array | number)[]) =>
    database.all<Found & { name: string }>(
      `SELECT records.id AS id, records.request AS request, record_gateways.name AS name FROM records
       JOIN record_gateways ON record_gateways.id = records.gateway
       WHERE ${where}${within} ORDER BY records.seq`,
      ...values,
      ...more,
    )
  const ofRequest = async (as: Lookup['as'], request: Uint8Array, others: string[] = []): Promise<Lookup> => ({
    as,
    request: uuidOf(request),
    records: (await find('(records.id = ? OR records.request = ?)', request, request))
      .slice(0, MOST)
      .map(({ id, name }) => ({ id: uuidOf(id), gateway: name })),
    others,
  })
  const bytes = bytesOfUuid(word)
  if (bytes) {
    const [one] = await find('records.id = ?', bytes)
    if (one) return ofRequest(one.request ? 'log' : 'request', one.request ?? one.id)
    const [part] = await find('records.request = ?', bytes)
    if (part) return ofRequest('request', bytes)
  }
  const events = await database.all<Found>(
    `SELECT records.id AS id, records.request AS request FROM records
     JOIN record_gateways ON record_gateways.id = records.gateway
     WHERE records.event = ?${within} ORDER BY records.seq DESC LIMIT ${MOST}`,
    word,
    ...more,
  )
  const [newest, ...rest] = new Map(events.map(({ id, request }) => [uuidOf(request ?? id), request ?? id]))
  return (
    newest &&
    ofRequest(
      'event',
      newest[1],
      rest.map(([request]) => request),
    )
  )
}
