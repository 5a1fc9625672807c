import type { Assignment } from './assignment.ts'
import { backOff } from './back-off.ts'
import type { FromWorker, ToWorker } from './messages.ts'
import type { Notice } from './notice.ts'

/** One worker process as the supervisor sees it. */
export interface WorkerProcess {
  send(message: ToWorker): void
  kill(): void
  /** How it ended: an exit code, or the signal that ended it. */
  ended: Promise<{ code: number | null; signal: string | null }>
}

export interface SlotOptions {
  index: number
  start(first: boolean, onMessage: (message: FromWorker) => void): WorkerProcess
  onMessage(message: FromWorker, worker: WorkerProcess): void
  /** It ended before it was ever ready, and the whole cannot start; without this, and for later deaths, a new start. */
  onStillborn?(code: number | null, signal: string | null): void
  notice: Notice
}

export interface Slot {
  /** Its worker runs and serves. */
  readonly isReady: boolean
  send(message: ToWorker): void
  /** Ends it for good; resolves when the process is gone. */
  stop(): Promise<void>
  kill(): void
}

/** Keeps one worker running: starts it, and starts it again with growing pauses whenever it dies. */
export function slot({ index, start, onMessage, onStillborn, notice }: SlotOptions): Slot {
  const pause = backOff()
  let worker: WorkerProcess | undefined
  let everReady = false
  let ready = false
  let stopping = false
  let timer: ReturnType<typeof setTimeout> | undefined
  let gone = Promise.resolve()

  const run = (first: boolean) => {
    const begun = performance.now()
    const started = start(first, message => {
      if (message.type === 'ready') {
        everReady = true
        ready = true
      }
      onMessage(message, started)
    })
    worker = started
    gone = started.ended.then(({ code, signal }) => {
      worker = undefined
      ready = false
      if (stopping) return
      if (!everReady && onStillborn) return onStillborn(code, signal)
      const wait = pause(performance.now() - begun)
      notice('warn', `worker ${index} ended (${signal ?? `exit code ${code}`}); starting it again in ${wait} ms`)
      timer = setTimeout(() => run(false), wait)
    })
  }
  run(true)

  return {
    get isReady() {
      return ready
    },
    send: message => worker?.send(message),
    stop() {
      stopping = true
      clearTimeout(timer)
      worker?.send({ type: 'stop' })
      return gone
    },
    kill: () => worker?.kill(),
  }
}

export type StartWorker = (assignment: Assignment, onMessage: (message: FromWorker) => void) => WorkerProcess
