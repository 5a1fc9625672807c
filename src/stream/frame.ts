/** How a dialect's stream is cut into messages on the wire. */
export type Framing = 'sse' | 'ndjson' | 'aws-event-stream'

/** One message of a stream, whatever the framing was. */
export interface Frame {
  /** SSE `event:` or AWS `:event-type`; absent where the framing has none. */
  event?: string
  /** The payload as text. */
  data: string
  /** An AWS frame whose `:message-type` is `exception` or `error`; `event` then names the exception. */
  exception?: boolean
  /** A keep-alive (an SSE comment): there is no data. */
  comment?: boolean
}
