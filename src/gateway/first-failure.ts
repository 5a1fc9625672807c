import { type ProviderError, ProviderFailure } from '../conversation/errors.ts'
import type { UpstreamDialect } from '../dialects/dialect.ts'
import { framer } from '../stream/framer.ts'

const NOTHING = { memory: {}, quirks: [] }

/** An error in the first bytes of a stream (T08); looked at closely only when they hold the word. */
export function errorInStream(dialect: UpstreamDialect, bytes: Uint8Array): ProviderError | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  // AWS says so in the names of its events.
  if (!buffer.includes('error') && !buffer.includes('xception')) return undefined
  const reader = dialect.reader(NOTHING)
  for (const frame of framer(dialect.framing).push(buffer))
    try {
      for (const event of reader.read(frame)) {
        if (event.type === 'error') return event.error
        if (event.type !== 'ping') return undefined
      }
    } catch (fault) {
      if (fault instanceof ProviderFailure) return fault.error
      throw fault
    }
  return undefined
}

/** The failure that a JSON answer tells under a status of success (trap 10). */
export function failureInReply(dialect: UpstreamDialect, value: object): ProviderError | undefined {
  try {
    dialect.readReply(value, NOTHING)
  } catch (fault) {
    if (fault instanceof ProviderFailure) return fault.error
  }
  return undefined
}
