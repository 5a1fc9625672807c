import { closeSync, openSync } from 'node:fs'
import { metricsRelay } from '../telemetry/metrics/gather.ts'
import type { Assignment } from './assignment.ts'
import type { FromWorker } from './messages.ts'
import { notices } from './notice.ts'
import { type Slot, type StartWorker, slot, type WorkerProcess } from './slot.ts'
import { startWorker } from './spawn.ts'

export interface SuperviseOptions extends Pick<Assignment, 'config' | 'demo' | 'port'> {
  start?: StartWorker
}

/** Seconds beyond the drain before a worker that does not end is ended. */
const grace = 5

/** Milliseconds within which a second signal is the first one's echo: `timeout`, npm and others signal the process and its group. */
const sameSignal = 300

/**
 * Keeps the serving processes running until it is told to stop. It reads no configuration itself, so that it stays
 * small: the first worker checks the file and says how many workers there are to be.
 *
 * SIGTERM and SIGINT stop (streams in flight may go on for `server.drain` seconds; a second signal ends at once),
 * SIGHUP reads the configuration again.
 *
 * @returns the exit code: 0 after a stop, otherwise that of the first worker where it could not start
 */
export function supervise({ config, demo, start = startWorker, ...given }: SuperviseOptions): Promise<number> {
  const slots: Slot[] = []
  let port = given.port
  let ready = false
  let shared = false
  let drain = 30
  let json = !process.stderr.isTTY
  let lastGood: string | undefined
  let stopping = false
  let finish: (code: number) => void = () => {}
  const finished = new Promise<number>(resolve => {
    finish = resolve
  })
  const notice = notices(() => json)

  const relay = metricsRelay(() => slots.filter(({ isReady }) => isReady))
  const onMessage = (message: FromWorker, worker: WorkerProcess) => {
    if (message.type === 'last-good') return worker.send({ type: 'last-good', configuration: lastGood })
    if (message.type === 'metrics-ask' || message.type === 'metrics-own') return relay(message, worker)
    lastGood = message.configuration
    drain = message.drain
    if (message.type !== 'ready' || ready) return
    ready = true
    port = message.port
    json = message.json
    shared = message.workers > 1
    if (!stopping) for (let index = 1; index < message.workers; index++) add(index)
  }

  const add = (index: number) => {
    slots.push(
      slot({
        index,
        notice,
        onMessage,
        start: (first, heard) => start({ index, first, config, port, shared, demo }, heard),
        onStillborn: index === 0 ? stillborn : undefined,
      }),
    )
  }

  const stillborn = (code: number | null, signal: string | null) => {
    // It has said why itself; only a signal leaves nothing said.
    if (signal) notice('error', `the serving process was ended by ${signal} before it was ready`)
    finish(code || 1)
  }

  let toldAt = 0
  const stop = () => {
    if (stopping) {
      if (performance.now() - toldAt < sameSignal) return
      notice('warn', 'told to stop a second time: ending at once')
      for (const worker of slots) worker.kill()
      return finish(1)
    }
    stopping = true
    toldAt = performance.now()
    const late = setTimeout(
      () => {
        notice('warn', 'workers did not end in time: ending them')
        for (const worker of slots) worker.kill()
      },
      (drain + grace) * 1_000,
    )
    void Promise.all(slots.map(worker => worker.stop())).then(() => {
      clearTimeout(late)
      finish(0)
    })
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  const onTerminal = process.stdout.isTTY
  process.on('SIGHUP', () => {
    // The same signal tells that the terminal was closed; then nobody is left to stop this.
    if (onTerminal && !terminalIsThere()) return stop()
    for (const worker of slots) worker.send({ type: 'reload' })
  })

  add(0)
  return finished
}

function terminalIsThere(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'))
    return true
  } catch {
    return false
  }
}
