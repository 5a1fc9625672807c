/** The little HTTP/1.1 that the measuring clients speak: raw, so that they cost next to nothing themselves. */

export interface Call {
  port: number
  path: string
  headers: Record<string, string>
  /** Where it holds {@link SERIAL} no two requests are the same. */
  body: string
}

/** Stands in a body for a number that is another one in each request, and as long as it. */
export const SERIAL = '@serial@'

/** Such a number. */
export const serial = (count: number): string => String(count % 100_000_000).padStart(SERIAL.length, '0')

/** The bytes of one POST on a connection that stays open. */
export function requestBytes(call: Call): Uint8Array {
  const body = Buffer.from(call.body)
  const lines = [`POST ${call.path} HTTP/1.1`, `host: 127.0.0.1:${call.port}`, `content-length: ${body.length}`]
  for (const [name, value] of Object.entries(call.headers)) lines.push(`${name}: ${value}`)
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), body])
}

export interface AnswerWatch {
  /** Takes the bytes of one read; true when they complete the answer. Throws when the status is not 200. */
  read(bytes: Buffer): boolean
}

const lastChunk = Buffer.from('0\r\n\r\n')

/**
 * Watches one connection and says when an answer is complete, by its length or by the last chunk. The last chunk is
 * looked for only at the end of a read: the server has nothing to send after it until we ask again.
 */
export function watchAnswers(): AnswerWatch {
  let head = ''
  let inBody = false
  let remaining = -1
  let tail: Buffer = Buffer.alloc(0)

  function chunkedEnds(bytes: Buffer): boolean {
    tail = bytes.length >= 5 ? bytes.subarray(-5) : Buffer.concat([tail, bytes]).subarray(-5)
    return tail.equals(lastChunk)
  }

  function bodyEnds(bytes: Buffer): boolean {
    if (remaining < 0) return chunkedEnds(bytes)
    remaining -= bytes.length
    return remaining <= 0
  }

  return {
    read(bytes) {
      let complete: boolean
      if (inBody) complete = bodyEnds(bytes)
      else {
        head += bytes.toString('latin1')
        const end = head.indexOf('\r\n\r\n')
        if (end < 0) return false
        if (!head.startsWith('HTTP/1.1 200'))
          throw new Error(`answered ${head.slice(9, 12)}: ${head.slice(end + 4, end + 204)}`)
        const length = /\r\ncontent-length: *(\d+)/i.exec(head.slice(0, end))
        inBody = true
        remaining = length ? Number(length[1]) : -1
        tail = Buffer.alloc(0)
        complete = bodyEnds(Buffer.from(head.slice(end + 4), 'latin1'))
        head = ''
      }
      if (complete) inBody = false
      return complete
    },
  }
}
