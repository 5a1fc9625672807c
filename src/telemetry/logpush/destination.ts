import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { post, reasonOf } from '../delivery/post.ts'
import { fileDestination } from './file-destination.ts'
import type { LogpushTarget } from './settings.ts'
import type { Segment } from './spool.ts'

/** What a receiver says to a batch: nothing when it has it, otherwise why not. */
export type Delivered = undefined | { reason: string; after?: number }

/** Takes batches; never throws. A batch may come twice, after a stop at a bad moment; then it has the same id. */
export type Destination = (segment: Segment, body: Uint8Array<ArrayBuffer>, signal: AbortSignal) => Promise<Delivered>

const TIMEOUT_MS = 60_000
const compress = promisify(gzip)

/** What sends to a target. */
export function destinationOf(target: LogpushTarget): Destination {
  if (target.url.startsWith('file:')) return fileDestination(target)
  if (target.url.startsWith('s3:')) return bucket(target)
  return address(target)
}

/** Posts each batch as lines of JSON, with the batch's id as idempotency key. */
function address({ url, headers, compression }: LogpushTarget): Destination {
  const inGzip = compression === 'gzip'
  return async ({ id }, body, signal) => {
    try {
      const sent = new Headers(headers)
      sent.set('content-type', 'application/x-ndjson')
      sent.set('idempotency-key', id)
      if (inGzip) sent.set('content-encoding', 'gzip')
      const letter = { url, headers: sent, body: inGzip ? await packed(body) : body, timeout: TIMEOUT_MS, signal }
      const posted = await post(letter)
      if (posted.kind === 'taken') return undefined
      // What it refuses today (a wrong token, say) it may take when the operator has seen to it.
      const after = posted.kind === 'later' ? posted.after : undefined
      return { reason: posted.reason, ...(after !== undefined && { after }) }
    } catch {
      return { reason: 'its headers cannot be written' }
    }
  }
}

/** Writes each batch as an object `<prefix>/<day>/<time>_<id>.ndjson`; the same batch again replaces itself. */
function bucket({ url, region, endpoint, access_key_id, secret_access_key, compression }: LogpushTarget): Destination {
  const { host, pathname } = new URL(url)
  const prefix = pathname.replace(/^\/+|\/+$/g, '')
  const inGzip = compression === 'gzip'
  const client = new Bun.S3Client({
    bucket: host,
    retry: 0,
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    ...(access_key_id !== undefined && { accessKeyId: access_key_id }),
    ...(secret_access_key !== undefined && { secretAccessKey: secret_access_key }),
  })
  return async ({ id }, body, signal) => {
    const time = timeOf(id)
    const name = `${prefix && `${prefix}/`}${time.slice(0, 8)}/${time}_${id}.ndjson${inGzip ? '.gz' : ''}`
    const written = (async () =>
      client.write(name, inGzip ? await packed(body) : body, {
        type: inGzip ? 'application/gzip' : 'application/x-ndjson',
      }))()
    try {
      await Promise.race([written, tooLate(signal)])
      return undefined
    } catch (error) {
      return { reason: error instanceof Late ? error.message : reasonOf(error) }
    }
  }
}

class Late extends Error {}

/** The client of S3 has no time-out of its own. */
function tooLate(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  const any = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)])
  const late = () => reject(new Late(`no answer within ${TIMEOUT_MS} ms`))
  if (any.aborted) late()
  else any.addEventListener('abort', late, { once: true })
  return promise
}

const packed = async (body: Uint8Array): Promise<Uint8Array<ArrayBuffer>> => new Uint8Array(await compress(body))

/** When a batch was begun, by its id, as `20261120T101112Z`. */
function timeOf(id: string): string {
  const at = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
  return `${new Date(at).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`
}
