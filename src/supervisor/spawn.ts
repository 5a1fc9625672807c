import { type Assignment, giveAssignment } from './assignment.ts'
import type { FromWorker, ToWorker } from './messages.ts'
import type { WorkerProcess } from './slot.ts'

/** This program again: the compiled executable is its own interpreter, from source it is `bun` and the main file. */
const program = (): string[] => (Bun.isStandaloneExecutable ? [process.execPath] : [process.execPath, Bun.main])

/** Starts a serving process. It learns of our end, however sudden, by the channel between us closing. */
export function startWorker(assignment: Assignment, onMessage: (message: FromWorker) => void): WorkerProcess {
  const child = Bun.spawn({
    // The words are for people who list processes; what counts is in the environment.
    cmd: [...program(), 'worker', String(assignment.index)],
    env: giveAssignment(process.env, assignment),
    stdin: 'ignore',
    stdout: 'inherit',
    stderr: 'inherit',
    serialization: 'json',
    ipc: message => onMessage(message as FromWorker),
  })
  return {
    send(message: ToWorker) {
      try {
        child.send(message)
      } catch {
        // It is ending already, which `ended` tells.
      }
    },
    kill: () => child.kill('SIGKILL'),
    ended: child.exited.then((): { code: number | null; signal: string | null } => ({
      code: child.exitCode,
      signal: child.signalCode === null ? null : String(child.signalCode),
    })),
  }
}
