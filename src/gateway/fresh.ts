import type { Exchange } from './exchange.ts'
import { Abort } from './transport/abort.ts'

/**
 * Another step of a request, or another attempt: with the client, the caller and the settings of the one before, and with
 * nothing of what became of it. It has an id and a record of its own.
 */
export function fresh<E extends Exchange>(exchange: E, changes: Partial<E>): E {
  return {
    ...exchange,
    ids: { ...exchange.ids, log: Bun.randomUUIDv7() },
    abort: new Abort(),
    started: performance.now(),
    outcome: {},
    claimed: [],
    credit: undefined,
    kept: undefined,
    cacheable: undefined,
    span: undefined,
    ...changes,
  }
}
