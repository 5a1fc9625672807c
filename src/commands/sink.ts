import { writeSync } from 'node:fs'

/** Where much is written, a piece at a time. */
export interface Sink {
  /** @returns whether anybody reads on: a closed pipe, as behind `head`, is no fault */
  write(text: string): Promise<boolean>
}

const FULL_PIPE_MS = 5

/**
 * An open file, or standard output, whole and in order: what a pipe's reader has not taken is waited for.
 * @param file its number: 1 for standard output
 */
export function sinkOf(file: number): Sink {
  return {
    async write(text) {
      let bytes: Uint8Array = Buffer.from(text)
      while (bytes.length) {
        try {
          bytes = bytes.subarray(writeSync(file, bytes))
        } catch (error) {
          const code = error instanceof Error && 'code' in error ? error.code : undefined
          if (code === 'EPIPE') return false
          if (code !== 'EAGAIN') throw error
          await Bun.sleep(FULL_PIPE_MS)
        }
      }
      return true
    },
  }
}
