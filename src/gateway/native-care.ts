import type { UpstreamDialect } from '../dialects/dialect.ts'
import { dialects } from '../dialects/index.ts'
import type { ByteSource, Bytes } from '../stream/byte-source.ts'
import type { Exchange } from './exchange.ts'
import { upstreamFault } from './fault.ts'
import { peek } from './first-bytes.ts'
import { errorInStream, failureInReply } from './first-failure.ts'

/**
 * An answer in a provider's own format goes to the client as it is, whatever it says. As long as somebody else can still
 * be asked it is looked at first: what is no answer under a status of success is a failure of the attempt.
 */

const ERROR_FIRST = 'its stream begins with an error'

/** Whether this attempt is looked at so closely. */
export const isCareful = ({ hasFallback, canTryAgain }: Exchange): boolean =>
  hasFallback === true || canTryAgain === true

/** @throws GatewayFault for a whole answer that is none */
export function demandAnswer({ outcome, target }: Exchange, type: string, bytes: Bytes): void {
  const fail = (why: string) => upstreamFault('closed', target!.reach.provider.title, why)
  const dialect = dialectOf(outcome.format)
  if (!dialect) return
  if (!bytes.length) throw fail('it answered with an empty body')
  if (type.startsWith('text/html')) throw fail('it answered with a web page')
  if (!type.includes('json')) {
    if (errorInStream(dialect, bytes)) throw fail(ERROR_FIRST)
    return
  }
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    throw fail('it answered with something other than JSON')
  }
  if (typeof value !== 'object' || value === null) throw fail('it answered with something other than JSON')
  if ('error' in value && value.error && failureInReply(dialect, value))
    throw fail('it answered with an error under a status of success')
}

/**
 * Waits for the first words of a stream.
 * @returns the stream from its beginning
 * @throws GatewayFault when there are none, or an error stands in their place
 */
export async function demandFirstWords({ outcome, target, abort }: Exchange, body: ByteSource): Promise<ByteSource> {
  const fail = (why: string) => upstreamFault('closed', target!.reach.provider.title, why)
  const { first, rest } = await peek(body).catch(() => {
    throw fail('the connection broke before the first word')
  })
  if (first === null) throw fail('it closed the stream without an answer')
  const dialect = dialectOf(outcome.format)
  if (dialect && first && errorInStream(dialect, first)) {
    abort.abort()
    throw fail(ERROR_FIRST)
  }
  return rest
}

const dialectOf = (format: string | undefined): UpstreamDialect | undefined =>
  format === undefined ? undefined : (dialects as Partial<Record<string, UpstreamDialect>>)[format]
