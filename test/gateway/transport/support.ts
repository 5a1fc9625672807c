import { request } from '../../../src/gateway/transport/request.ts'
import type { ByteSource } from '../../../src/stream/byte-source.ts'

/** What the tests of the client share. */

export const ask = (
  url: string,
  options: { body?: string; headers?: Record<string, string>; signal?: AbortSignal } = {},
) =>
  request(
    { url, method: options.body === undefined ? 'GET' : 'POST', headers: options.headers ?? {}, body: options.body },
    options.signal ?? new AbortController().signal,
  )

export const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

/** Reads to the end, one read after the other. */
export async function readAll(body: ByteSource | null): Promise<string> {
  const parts: Uint8Array[] = []
  if (body) for (let bytes = await body.read(); bytes; bytes = await body.read()) parts.push(bytes)
  return Buffer.concat(parts).toString()
}

/** Takes everything as a sink. */
export function pipeAll(body: ByteSource): Promise<string> {
  const parts: Uint8Array[] = []
  return new Promise((resolve, reject) => {
    body.pipe({
      write(bytes) {
        parts.push(bytes)
        return undefined
      },
      end: fault => (fault === undefined ? resolve(Buffer.concat(parts).toString()) : reject(fault)),
    })
  })
}

/** The error that a promise is rejected with. */
export const faultOf = (promise: Promise<unknown>): Promise<{ code?: string; name?: string; message: string }> =>
  promise.then(
    () => {
      throw new Error('it did not fail')
    },
    fault => fault,
  )

/** Waits until something is so, and fails when it never is. */
export async function until(so: () => boolean, within = 2_000): Promise<void> {
  const deadline = performance.now() + within
  while (!so()) {
    if (performance.now() > deadline) throw new Error('it did not come to be')
    await Bun.sleep(2)
  }
}
