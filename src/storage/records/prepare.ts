import type { AttemptRecord, Decision } from '../../telemetry/attempt-record.ts'
import type { Dictionary, KindNumbers } from './dictionary.ts'
import { bytesOfUuid } from './ids.ts'
import { type Free, freeOf, kindText, NOT_FREE } from './kind.ts'

/** A record with all that can be made of it before the transaction. */
export interface Prepared {
  record: AttemptRecord
  id: Uint8Array
  /** Where such a record was written before; otherwise the text of its kind. */
  known?: KindNumbers & { place: number }
  said: string
  /** What did not go into the kind. */
  free?: Free
  document?: string
  explained?: string
}

/** @returns nothing when the record makes no sense */
export function prepare(record: AttemptRecord, dictionary: Dictionary): Prepared | undefined {
  const id = bytesOfUuid(record.id)
  if (!id || !isSound(record)) return undefined
  const known = dictionary.recent.find(record)
  const prepared: Prepared = { record, id, said: '' }
  if (known) prepared.known = known
  else {
    const all = freeOf(record)
    prepared.said = kindText(record, all)
    if (dictionary.isFull(record.gateway) && !dictionary.knows(record.gateway, prepared.said)) {
      prepared.free = all
      prepared.said = kindText(record, NOT_FREE)
    }
  }
  if (record.metadata && Object.keys(record.metadata).length) prepared.document = JSON.stringify(record.metadata)
  if (record.collect) prepared.explained = explainedBy(record)
  return prepared
}

function isSound({ at, duration, status, attempt, step = 0, gateway }: AttemptRecord): boolean {
  return (
    Number.isFinite(at) &&
    Number.isFinite(duration) &&
    Number.isInteger(status) &&
    Number.isInteger(attempt) &&
    Number.isInteger(step) &&
    gateway.length > 0
  )
}

const texts = new WeakMap<readonly Decision[], string>()

/** The cost is told with its parts only beside what was decided. Gives the text of an {@link Explained}. */
function explainedBy({ decisions: made, cost }: AttemptRecord): string | undefined {
  const decisions = typeof made === 'function' ? made() : made
  if (!decisions?.length) return undefined
  const text = textOf(decisions)
  return cost ? `{"decisions":${text},"cost":${JSON.stringify(cost)}}` : `{"decisions":${text}}`
}

/** A list that is frozen is that of many records. */
function textOf(decisions: readonly Decision[]): string {
  const known = texts.get(decisions)
  if (known !== undefined) return known
  const text = JSON.stringify(decisions)
  if (Object.isFrozen(decisions)) texts.set(decisions, text)
  return text
}
