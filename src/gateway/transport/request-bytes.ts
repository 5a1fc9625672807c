import { version } from '../../../package.json' with { type: 'json' }
import type { Outgoing } from '../../providers/auth/auth.ts'
import type { Address } from './address.ts'
import { fault } from './fault.ts'

/** What belongs to one connection, or is worked out here: nobody else has a say in it. */
const OURS = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

const NAME = /^[!#$%&'*+\-.^_`|~0-9a-zA-Z]+$/
const PLAIN = /^[\t -~]*$/
/** Tab, visible characters, and the bytes that HTTP calls obsolete (RFC 9110, section 5.5). */
const ALLOWED = /^[\t -~\x80-\xff]*$/

/** Names that were found to be good; there are few. */
const goodNames = new Set<string>()

/** A request as it goes out, in one piece; text goes out as UTF-8. */
export interface RequestBytes {
  data: string | Uint8Array
  size: number
}

/** @throws an error with the code ERR_INVALID_HEADER for a header that would break the request apart */
export function requestBytes(address: Address, { method, headers, body }: Outgoing): RequestBytes {
  let head = method + (headers.host === undefined ? address.requestLine : address.bareRequestLine)
  let plain = true
  for (const name in headers) {
    if (OURS.has(name)) continue
    const value = headers[name]!
    if (!goodNames.has(name)) admit(name)
    if (!PLAIN.test(value)) {
      if (!ALLOWED.test(value)) throw fault('ERR_INVALID_HEADER', `the value of the header ${name} cannot be sent`)
      plain = false
    }
    head += `${name}: ${value}\r\n`
  }
  if (headers['user-agent'] === undefined) head += userAgent
  if (headers.accept === undefined) head += 'accept: */*\r\n'
  const length = body === undefined ? 0 : Buffer.byteLength(body)
  head += method === 'GET' && body === undefined ? '\r\n' : `content-length: ${length}\r\n\r\n`
  const isText = typeof body === 'string' || body === undefined
  if (plain && isText) return { data: body === undefined ? head : head + body, size: head.length + length }
  // Header values are bytes, not text: what came as one byte goes out as one.
  const data = Buffer.allocUnsafe(head.length + length)
  data.write(head, 'latin1')
  if (typeof body === 'string') data.write(body, head.length)
  else if (body) data.set(body, head.length)
  return { data, size: data.length }
}

const userAgent = `user-agent: postern/${version}\r\n`

function admit(name: string): void {
  if (!NAME.test(name)) throw fault('ERR_INVALID_HEADER', 'the name of a header cannot be sent')
  if (goodNames.size < 1_000) goodNames.add(name)
}
