import type { Exchange } from './exchange.ts'

/** Counts an answer that begins to go out in pieces; it is over when it is on record. */
export function openStream({ outcome, settings }: Exchange): void {
  outcome.isOpen = true
  settings.streams.open++
}
