import { endWithBench, type Part, runPart, startPart, taskOfPart } from './child.ts'
import { type Call, requestBytes, watchAnswers } from './wire.ts'

/** Many streams at once, each on a connection of its own, read by a process that does little more than count. */

interface Task {
  call: Call
  streams: number
  /** Reports when all are open and goes on reading, rather than reporting when all have ended. */
  hold: boolean
}

export interface Streamed {
  /** Streams that came to their end, or that are open when they are held. */
  streams: number
  reads: number
  bytes: number
  failure: string | null
}

/** Runs so many streams to their end. Throws when one fails. */
export async function runStreams(call: Call, streams: number): Promise<Streamed> {
  return checked(await runPart<Streamed>('streams.ts', { call, streams, hold: false } satisfies Task), streams)
}

/** Opens so many streams and gives the process that holds them, once all have begun. Throws when one fails. */
export async function holdStreams(call: Call, streams: number): Promise<Part> {
  const part = startPart('streams.ts', { call, streams, hold: true } satisfies Task)
  try {
    checked(await part.next<Streamed>(), streams)
    return part
  } catch (error) {
    part.child.kill()
    throw error
  }
}

function checked(outcome: Streamed, streams: number): Streamed {
  if (outcome.failure) throw new Error(`a stream failed: ${outcome.failure}`)
  if (outcome.streams !== streams) throw new Error(`only ${outcome.streams} of ${streams} streams in time`)
  return outcome
}

async function readStreams({ call, streams, hold }: Task): Promise<Streamed> {
  const request = requestBytes(call)
  const outcome: Streamed = { streams: 0, reads: 0, bytes: 0, failure: null }
  const { promise, resolve } = Promise.withResolvers<Streamed>()

  function fail(reason: string): void {
    outcome.failure ??= reason
    resolve(outcome)
  }

  function one(): Promise<unknown> {
    const answers = watchAnswers()
    let begun = false
    let ended = false
    return Bun.connect({
      hostname: '127.0.0.1',
      port: call.port,
      socket: {
        open: socket => void socket.write(request),
        data(socket, bytes) {
          outcome.reads++
          outcome.bytes += bytes.length
          try {
            ended = answers.read(bytes)
          } catch (error) {
            return fail(String(error))
          }
          if (hold ? !begun : ended) outcome.streams++
          begun = true
          if (ended) socket.end()
          if (outcome.streams === streams) resolve(outcome)
        },
        close: () => {
          if (!ended) fail('closed before its end')
        },
        error: (_, error) => fail(String(error)),
      },
    })
  }

  // In steps, so that no backlog of connections overflows.
  for (let opened = 0; opened < streams; opened += 100) {
    await Promise.all(Array.from({ length: Math.min(100, streams - opened) }, one))
  }
  return Promise.race([promise, Bun.sleep(30_000).then(() => outcome)])
}

if (import.meta.main) {
  endWithBench()
  process.send?.(await readStreams(taskOfPart<Task>()))
}
