import type { Config } from '../config/schema.ts'

/** The port cannot be had. */
export class PortError extends Error {
  override readonly name = 'PortError'
}

const words: Record<string, string> = {
  EADDRINUSE: 'is in use by another program',
  EACCES: 'may not be opened by this user',
  EADDRNOTAVAIL: 'cannot be had: this machine has no such address',
}

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '')

/**
 * Runs what listens, and says in words why it could not.
 *
 * @throws PortError naming the port and how to change it
 */
export function listening<Result>(server: Config['server'], listen: () => Result): Result {
  try {
    return listen()
  } catch (error) {
    const code = codeOf(error)
    const why = words[code] ?? `cannot be opened (${code || 'unknown reason'})`
    throw new PortError(
      `port ${server.port} on ${server.host} ${why}. Choose another with server.port in postern.yaml ` +
        'or with --port (0 takes any free one).',
    )
  }
}

/** Workers share a port, so a stranger on it would go unnoticed: ask for it once alone. */
export function assertPortFree(server: Config['server']): void {
  if (server.port === 0) return
  listening(server, () => Bun.listen({ hostname: server.host, port: server.port, socket: { data() {} } })).stop(true)
}
