import type { LogExplanation } from '../schemas/management/explain.ts'
import type { StoredBody, StoredRecord } from '../storage/records/types.ts'
import type { Decision } from '../telemetry/attempt-record.ts'
import { diffBodies } from './diff.ts'
import { isObject, jsonIn } from './json.ts'

export interface RequestBodies {
  request?: StoredBody | undefined
  /** Where it is not the client's own but for the model. */
  upstream?: StoredBody | undefined
}

/** The client's body and the provider's, side by side. */
export function bodiesIn(
  record: StoredRecord,
  { request, upstream }: RequestBodies,
  translation: Decision | undefined,
): LogExplanation['bodies'] {
  const { from, to, dropped } = translation?.facts ?? {}
  const head = {
    kept: request !== undefined,
    ...(typeof from === 'string' && { from }),
    ...(typeof to === 'string' && { to }),
    dropped: typeof dropped === 'string' ? dropped.split(', ') : [],
  }
  const only = (note: string) => ({ ...head, note, changes: [], omitted: 0 })
  if (!request) return only(whyNotKept(record))
  if (request.cut || upstream?.cut) return only('It is too long to be kept whole, so that nothing can be compared.')
  const before = jsonIn(request)
  // A request in a provider's own format goes on byte for byte; so does a chat, but for its model.
  const renamed = !upstream && translation !== undefined && isObject(before.value) && record.model !== undefined
  if (!upstream && !renamed) return only(asItCame(record))
  const after = upstream
    ? jsonIn(upstream).value
    : { ...(before.value as Record<string, unknown>), model: record.model }
  if (before.value === undefined || after === undefined) return only('It is no JSON, so that nothing can be compared.')
  const diff = diffBodies(before.value, after)
  return { ...head, note: noteOf(record, upstream !== undefined, from === to), ...diff }
}

function asItCame({ cached, firstByte, surface }: StoredRecord): string {
  if (cached) return 'Nobody was asked: the answer came from the cache.'
  if (firstByte !== undefined) return 'It went on byte for byte.'
  return surface === 'compat'
    ? 'It was refused before anything was written for a provider.'
    : 'No provider answered; what one was to get is the body as it came.'
}

function noteOf({ cached }: StoredRecord, written: boolean, same: boolean): string {
  const asked = cached ? 'Nobody was asked: the answer came from the cache. ' : ''
  if (!written) return `${asked}It went on byte for byte, but for the name of the model.`
  return same
    ? `${asked}It went on in the same dialect, corrected for what this provider does otherwise.`
    : `${asked}It was written anew in the provider’s dialect.`
}

const whyNotKept = ({ requestSize }: StoredRecord) =>
  requestSize === 0
    ? 'There was no body, or it was refused before it was read.'
    : 'The bodies were not kept: collect_log_payload of the gateway or cf-aig-collect-log-payload says so, or they are gone.'
