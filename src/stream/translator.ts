import type { ProviderError } from '../conversation/errors.ts'
import type { Event } from '../conversation/events.ts'
import type { Frame } from './frame.ts'

/** Reads one provider's stream into neutral events; it holds the stream's state. Dialects provide it. */
export interface Reader {
  read(frame: Frame): Event[]
  /** The bytes ended: what was still open. */
  end(): Event[]
}

/** Writes neutral events as one client's stream; it holds the stream's state. Dialects provide it. */
export interface Writer {
  /** Takes the events of one message together, so that they can share a frame. */
  write(events: readonly Event[]): Frame[]
  /** A clean end: whatever closes a stream in this dialect. */
  end(): Frame[]
  /** The end after a failure in mid-stream: an error frame and never a success. */
  fail(error: ProviderError): Frame[]
}
