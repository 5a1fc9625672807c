import { write, writeSync } from 'node:fs'

/** Takes lines and writes them later, many at a time. */
export interface LineSink {
  write(line: string): void
  flush(): Promise<void>
}

/** The part of a writable stream that is needed here. */
export interface Output {
  write(text: string, done: (error?: Error | null) => void): unknown
}

interface SinkOptions {
  /** Milliseconds that a line may wait. */
  wait?: number
  /** Characters that may wait for a reader who has stopped reading. */
  limit?: number
}

/**
 * Gathers lines and writes them within 50 ms, one write at a time. Where nobody reads any more (a full pipe) it keeps
 * up to the limit, then drops lines and afterwards says how many. A reader that is gone ends nothing: logging stops,
 * serving goes on.
 */
export function lineSink(output: Output, options: SinkOptions = {}): LineSink & { takeRest(): string } {
  const { wait = 50, limit = 8_388_608 } = options
  let waiting = ''
  let dropped = 0
  let gone = false
  let timer: ReturnType<typeof setTimeout> | undefined
  let writing: Promise<void> | undefined

  const takeRest = (): string => {
    const text = waiting
    waiting = ''
    return text
  }

  const writeOut = (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    if (writing) return writing
    if (dropped) {
      waiting += `${JSON.stringify({ level: 'warn', time: new Date().toISOString(), dropped, msg: 'log lines dropped: nobody read them' })}\n`
      dropped = 0
    }
    const text = takeRest()
    if (!text || gone) return Promise.resolve()
    writing = new Promise<void>(resolve => {
      output.write(text, error => {
        if (error) gone = true
        writing = undefined
        resolve()
        if (waiting) schedule()
      })
    })
    return writing
  }

  const schedule = () => {
    if (timer || writing) return
    timer = setTimeout(writeOut, wait)
    timer.unref()
  }

  return {
    write(line) {
      if (gone) return
      if (waiting.length + line.length > limit) dropped++
      else waiting += line
      schedule()
    },
    async flush() {
      // What came in during the write in progress needs a second one.
      await writeOut()
      await writeOut()
    },
    takeRest,
  }
}

/** How long to leave a pipe whose reader is slow before trying again. */
const FULL_PIPE_MS = 10

/**
 * An open file or pipe, written in a thread of the runtime's. `process.stdout` is no use here: in a worker, which has a
 * channel to its parent, its callbacks were seen to stay away.
 */
export function fileOutput(descriptor: number): Output {
  return {
    write(text, done) {
      let bytes: Uint8Array = Buffer.from(text)
      const next = () =>
        write(descriptor, bytes, (error, written) => {
          if (error?.code === 'EAGAIN') setTimeout(next, FULL_PIPE_MS)
          else if (error) done(error)
          else if (written < bytes.length) {
            bytes = bytes.subarray(written)
            next()
          } else done()
        })
      next()
    },
  }
}

let standard: LineSink | undefined

/** The one sink of this process's standard output. A closed pipe does not end the process. */
export function standardOutput(): LineSink {
  if (standard) return standard
  const sink = lineSink(fileOutput(1))
  process.on('exit', () => {
    const rest = sink.takeRest()
    try {
      if (rest) writeSync(1, rest)
    } catch {
      // Nobody reads any more, and the process is ending.
    }
  })
  standard = sink
  return sink
}
