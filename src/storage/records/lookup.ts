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
  /** The record that it names. */
  named?: string
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

const SHORT_ID = /^[0-9a-f]{8}-[0-9a-f]{4}[0-9a-f-]{0,22}$/i
const ID_DIGITS = 32

/** The least and the most of the ids that begin so, where it is the beginning of one: from its time on. */
function beginning(word: string): [Uint8Array, Uint8Array] | undefined {
  const digits = word.replaceAll('-', '')
  if (!SHORT_ID.test(word) || digits.length >= ID_DIGITS) return undefined
  return [Buffer.from(digits.padEnd(ID_DIGITS, '0'), 'hex'), Buffer.from(digits.padEnd(ID_DIGITS, 'f'), 'hex')]
}

/**
 * Finds the records that an id stands for: of a record (`cf-aig-log-id`), of a request (`cf-aig-request-id`) or of an
 * event (`cf-aig-event-id`). The first record of a request has the request's own id. The beginning of a record's id will
 * do where no other begins so.
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
  const ofRequest = async (
    as: Lookup['as'],
    request: Uint8Array,
    others: string[] = [],
    named?: Uint8Array,
  ): Promise<Lookup> => ({
    as,
    ...(named && { named: uuidOf(named) }),
    request: uuidOf(request),
    records: (await find('(records.id = ? OR records.request = ?)', request, request))
      .slice(0, MOST)
      .map(({ id, name }) => ({ id: uuidOf(id), gateway: name })),
    others,
  })
  const bytes = bytesOfUuid(word)
  if (bytes) {
    const [one] = await find('records.id = ?', bytes)
    if (one) return ofRequest(one.request ? 'log' : 'request', one.request ?? one.id, [], one.id)
    const [part] = await find('records.request = ?', bytes)
    if (part) return ofRequest('request', bytes)
  }
  const span = beginning(word)
  if (span) {
    const [one, second] = await find('records.id BETWEEN ? AND ?', ...span)
    // Of two nobody knows which was meant.
    if (one && !second) return ofRequest('log', one.request ?? one.id, [], one.id)
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
