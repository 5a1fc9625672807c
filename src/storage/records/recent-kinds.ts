import type { AttemptRecord } from '../../telemetry/attempt-record.ts'
import type { KindNumbers } from './dictionary.ts'

/** What tells the kind of a record, beside the gateway; see {@link Kind}. */
interface Known extends KindNumbers {
  from: Pick<
    AttemptRecord,
    | 'gateway'
    | 'provider'
    | 'token'
    | 'status'
    | 'cached'
    | 'surface'
    | 'method'
    | 'path'
    | 'asked'
    | 'userAgent'
    | 'requestType'
    | 'answerType'
    | 'stream'
    | 'customCost'
  >
  keyOf: string | undefined
  keyAlias: string | undefined
  estimated: boolean
  errorCode: string | undefined
  errorNumber: number | undefined
  /** The number of the gateway. */
  place: number
}

const MOST_MODELS = 500
const MOST_OF_A_MODEL = 8

/**
 * The kinds of the last records, by their members: to compare them takes a fraction of the time of writing the text of a
 * kind and looking for it.
 */
export class RecentKinds {
  readonly #kinds = new Map<string, Known[]>()

  find(record: AttemptRecord): Known | undefined {
    const known = this.#kinds.get(record.model ?? '')
    if (known) for (const kind of known) if (isOf(kind, record)) return kind
    return undefined
  }

  /** @param place the number of the gateway */
  add(record: AttemptRecord, place: number, { kind, series }: KindNumbers): void {
    if (this.find(record)) return
    if (this.#kinds.size >= MOST_MODELS) this.#kinds.clear()
    const known = this.#kinds.getOrInsertComputed(record.model ?? '', () => [])
    if (known.length >= MOST_OF_A_MODEL) known.pop()
    const { gateway, provider, token, status, cached, surface, method, path, asked, stream, customCost } = record
    const { userAgent, requestType, answerType, key, error, usage } = record
    const about = { gateway, provider, token, status, cached, surface, method, path, asked, stream, customCost }
    known.unshift({
      from: { ...about, userAgent, requestType, answerType },
      keyOf: key?.of,
      keyAlias: key?.alias,
      estimated: usage?.source === 'estimated',
      errorCode: error?.code,
      errorNumber: error?.number,
      kind,
      series,
      place,
    })
  }
}

function isOf({ from, keyOf, keyAlias, estimated, errorCode, errorNumber }: Known, record: AttemptRecord): boolean {
  return (
    from.status === record.status &&
    from.stream === record.stream &&
    from.cached === record.cached &&
    from.gateway === record.gateway &&
    from.token === record.token &&
    from.provider === record.provider &&
    from.path === record.path &&
    from.userAgent === record.userAgent &&
    from.requestType === record.requestType &&
    from.answerType === record.answerType &&
    from.asked === record.asked &&
    from.surface === record.surface &&
    from.method === record.method &&
    from.customCost === record.customCost &&
    keyOf === record.key?.of &&
    keyAlias === record.key?.alias &&
    estimated === (record.usage?.source === 'estimated') &&
    errorCode === record.error?.code &&
    errorNumber === record.error?.number
  )
}
