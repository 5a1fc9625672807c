import type { ByteSource, Bytes } from './byte-source.ts'

/** How often it is looked for streams that have gone silent. */
const LOOK_MS = 250

interface Guarded {
  /** The look at which it last spoke. */
  spoke: number
  /** Looks that it may be silent for. */
  looks: number
  silent(): void
}

const guarded = new Set<Guarded>()
let look = 0
let timer: Timer | undefined

function watch(one: Guarded): void {
  guarded.add(one)
  timer ??= setInterval(() => {
    look++
    for (const each of guarded) if (look - each.spoke > each.looks) each.silent()
    if (!guarded.size) {
      clearInterval(timer)
      timer = undefined
    }
  }, LOOK_MS)
  timer.unref()
}

/**
 * A source that ends with a fault when nothing comes for too long. One clock looks after all of them, so that a chunk
 * costs no timer. Time in which the reader has had enough does not count.
 * @param milliseconds that may pass without a byte, to a quarter of a second
 */
export function withoutSilence(source: ByteSource, milliseconds: number): ByteSource {
  const { promise, reject } = Promise.withResolvers<never>()
  promise.catch(() => {})
  let end: ((fault: unknown) => void) | undefined
  const one: Guarded = {
    spoke: look,
    looks: Math.ceil(milliseconds / LOOK_MS),
    silent() {
      guarded.delete(one)
      const fault = new Error(`nothing came for ${milliseconds} ms`)
      source.cancel(fault)
      if (end) end(fault)
      else reject(fault)
    },
  }
  const speak = () => {
    one.spoke = look
  }
  const over = () => void guarded.delete(one)
  watch(one)
  return {
    async read(): Promise<Bytes | undefined> {
      speak()
      const bytes = await Promise.race([source.read(), promise])
      speak()
      if (!bytes) over()
      return bytes
    },
    pipe(sink) {
      end = fault => sink.end(fault)
      speak()
      source.pipe({
        write(bytes) {
          speak()
          const full = sink.write(bytes)
          if (!full) return undefined
          // While the reader has enough nothing is asked for.
          one.spoke = Number.POSITIVE_INFINITY
          return full.finally(speak)
        },
        end(fault) {
          over()
          sink.end(fault)
        },
      })
    },
    cancel(reason) {
      over()
      source.cancel(reason)
    },
  }
}
