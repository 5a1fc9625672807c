import { ConfigError, formatProblem } from '../config/problems.ts'
import { StorageError } from '../storage/errors.ts'
import { PortError } from './port.ts'

const standardError = (line: string): void => {
  process.stderr.write(`${line}\n`)
}

/**
 * Says on standard error why a process cannot go on, without a stack.
 *
 * @returns the exit code: 2 where the configuration is at fault, otherwise 1
 */
export function reportFault(error: unknown, say: (line: string) => void = standardError): number {
  if (error instanceof ConfigError) {
    for (const problem of error.problems) say(formatProblem(problem))
    return 2
  }
  const message = error instanceof Error ? error.message : 'unknown error'
  const known = error instanceof StorageError || error instanceof PortError
  say(`postern: ${known ? '' : 'cannot go on: '}${message}`)
  return error instanceof StorageError && error.kind === 'configuration' ? 2 : 1
}
