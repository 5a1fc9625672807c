import type { Database } from '../storage/database.ts'
import { lookUp } from '../storage/records/lookup.ts'
import type { BodyName, Explained, StoredBody, StoredRecord } from '../storage/records/types.ts'
import { answered, type ExplainedRecord, type RequestStory } from './index.ts'

/** Whatever reads records: the store of a running server, or the database alone. */
export interface RecordSource {
  get(gateway: string, id: string): Promise<StoredRecord | undefined>
  body(gateway: string, id: string, name: BodyName): Promise<StoredBody | undefined>
}

/**
 * Gathers all that is on record of a request.
 * @param word the id of a record, a request or an event
 * @param gateway the only one to look in; all when left out
 * @returns nothing when there is no such record
 */
export async function gather(
  database: Database,
  source: RecordSource,
  word: string,
  gateway?: string,
): Promise<RequestStory | undefined> {
  const found = await lookUp(database, word, gateway)
  if (!found) return undefined
  const attempts: ExplainedRecord[] = []
  for (const place of found.records) {
    const record = await source.get(place.gateway, place.id)
    if (record) attempts.push({ record, explained: await explainedOf(source, place.gateway, place.id) })
  }
  if (!attempts.length) return undefined
  attempts.sort((one, other) => one.record.at - other.record.at)
  const named = found.as === 'log' ? attempts.findIndex(({ record }) => record.id === found.named) : -1
  const told = named >= 0 ? named : answered(attempts.map(({ record }) => record))
  const { record } = attempts[told]!
  const [request, upstream, answer] = await Promise.all(
    (['request', 'upstream-request', 'answer'] as const).map(name => source.body(record.gateway, record.id, name)),
  )
  return { attempts, told, request, upstream, answer, others: found.others }
}

async function explainedOf(source: RecordSource, gateway: string, id: string): Promise<Explained | undefined> {
  const body = await source.body(gateway, id, 'explain')
  try {
    return body && (JSON.parse(new TextDecoder().decode(body.bytes)) as Explained)
  } catch {
    return undefined
  }
}
