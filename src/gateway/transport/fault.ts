/** An error with a code, as those of the network have; `message` never holds an address, a header or a body. */
export interface TransportFault extends Error {
  code: string
}

export const fault = (code: string, message: string): TransportFault => Object.assign(new Error(message), { code })

/** What came is not HTTP/1.1, or a form of it that could be read in two ways. */
export const malformed = (what: string): TransportFault => fault('ERR_HTTP_ANSWER', `not an HTTP/1.1 answer: ${what}`)

/** The connection ended before the answer did. */
export const cutOff = (what: string): TransportFault => fault('ECONNRESET', what)
