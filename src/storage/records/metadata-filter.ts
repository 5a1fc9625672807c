import type { Database } from '../database.ts'
import { textTest } from './filter.ts'
import { inPages } from './statements.ts'
import type { Metadata, RecordFilter } from './types.ts'

/** The number of the document that is not there. */
export const NO_METADATA = 0

type EntryTest = (key: string, value: string) => boolean

/**
 * The metadata documents that filters let through. What is asked of a key and of a value is asked of one and the same
 * entry; `neq` means that no entry is such.
 * @param search text within keys and values
 */
export async function metadataMatching(
  database: Database,
  gateway: number,
  filters: readonly RecordFilter[],
  search: string | undefined,
): Promise<Set<number>> {
  const wanted: EntryTest[] = []
  const unwanted: EntryTest[] = []
  for (const filter of filters) {
    const { key, operator } = filter
    const test = textTest(operator === 'neq' ? { ...filter, operator: 'eq' } : filter)
    const ofEntry: EntryTest = key === 'metadata.key' ? name => test(name) : (_, value) => test(value)
    if (operator === 'neq') unwanted.push(ofEntry)
    else wanted.push(ofEntry)
  }
  const text = search?.toLowerCase()
  const fits = (entries: [string, string][]) =>
    (!wanted.length || entries.some(([key, value]) => wanted.every(test => test(key, value)))) &&
    !entries.some(([key, value]) => unwanted.some(test => test(key, value))) &&
    (text === undefined ||
      entries.some(([key, value]) => key.toLowerCase().includes(text) || value.toLowerCase().includes(text)))
  const matching = new Set<number>()
  if (fits([])) matching.add(NO_METADATA)
  const documents = inPages<{ id: number; said: string }>(
    database,
    'SELECT id, said FROM record_metadata WHERE gateway = ? AND id > ? ORDER BY id LIMIT ?',
    Number.POSITIVE_INFINITY,
    gateway,
  )
  for await (const { id, said } of documents) {
    const entries = Object.entries(JSON.parse(said) as Metadata).map(([key, value]): [string, string] => [
      key,
      String(value),
    ])
    if (fits(entries)) matching.add(Number(id))
  }
  return matching
}
