/** Writes a line of the supervisor's own. It has no logger: it stays small, and says little. */
export type Notice = (level: 'info' | 'warn' | 'error', message: string) => void

/** @param json whether the workers log JSON, told when the first is ready */
export function notices(json: () => boolean): Notice {
  return (level, message) => {
    if (json()) process.stdout.write(`${JSON.stringify({ level, time: new Date().toISOString(), msg: message })}\n`)
    else process.stderr.write(`postern: ${message}\n`)
  }
}
