import { join } from 'node:path'
import type { Subprocess } from 'bun'
import { keep } from './subject.ts'

/** A part of the benchmark in a process of its own. */
export interface Part {
  child: Subprocess
  /** What it sends next; rejects when it ends without. */
  next<Message>(): Promise<Message>
}

/** Starts a file of this folder as a process of its own, with a task that it reads from its command line. */
export function startPart(file: string, task: unknown = null): Part {
  const messages: unknown[] = []
  let wake: () => void = () => {}
  const child = keep(
    Bun.spawn([process.execPath, join(import.meta.dir, file), JSON.stringify(task)], {
      stdin: 'ignore',
      stdout: 'inherit',
      stderr: 'inherit',
      ipc(message) {
        messages.push(message)
        wake()
      },
      onExit: () => wake(),
    }),
  )
  return {
    child,
    async next<Message>() {
      while (messages.length === 0) {
        if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${file} ended before it was done`)
        await new Promise<void>(resolve => {
          wake = resolve
        })
      }
      return messages.shift() as Message
    },
  }
}

/** Runs such a part to its one message. */
export async function runPart<Message>(file: string, task: unknown): Promise<Message> {
  const part = startPart(file, task)
  const message = await part.next<Message>()
  part.child.kill()
  await part.child.exited
  return message
}

/** The task of this process, when it is such a part. */
export const taskOfPart = <Task>(): Task => JSON.parse(process.argv[2] ?? 'null')

/** Ends this process when the benchmark has ended; called by every part. */
export function endWithBench(): void {
  process.on('disconnect', () => process.exit(0))
}
