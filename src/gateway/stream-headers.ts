/** The headers of an answer that streams to the client. */
export function streamHeaders(headers: Headers): void {
  headers.set('content-type', 'text/event-stream; charset=utf-8')
  headers.set('cache-control', 'no-cache')
  // nginx and its likes would hold back a stream to fill their buffers.
  headers.set('x-accel-buffering', 'no')
}
