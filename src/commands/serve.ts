import { supervise } from '../supervisor/supervisor.ts'

export interface ServeOptions {
  config?: string
  /** Instead of `server.port`. */
  port?: number
}

/**
 * `postern serve`: runs until it is stopped.
 *
 * @returns the exit code: 0 after a stop, 2 for a faulty configuration, 1 for any other reason that kept it from serving
 */
export const serveCommand = (options: ServeOptions): Promise<number> => supervise(options)
