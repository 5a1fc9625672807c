/** What a serving process is told by its supervisor, in an environment variable: argv is for everyone to read. */
export interface Assignment {
  /** The place among the workers, from 0. */
  index: number
  /** The first process in its place: only then does worker 0 greet and make a first token. */
  first: boolean
  /** The file named on the command line. */
  config?: string
  /** The port that an earlier worker got; it stands in for the configured one, which may be 0. */
  port?: number
  /** Whether other workers listen on the same port. */
  shared: boolean
  /** With the provider inside the executable, opened by this token. */
  demo?: { token: string }
}

const variable = 'POSTERN_WORKER'

/** The environment of a worker. */
export function giveAssignment(env: NodeJS.ProcessEnv, assignment: Assignment): NodeJS.ProcessEnv {
  return {
    // Bun's fetch runs 256 requests at once and reads the limit only at its start.
    BUN_CONFIG_MAX_HTTP_REQUESTS: '65336',
    // Milliseconds that freed memory is kept for the next request. Given back to the system at once it has to be fetched
    // again at once, which costs 3 µs a request.
    MIMALLOC_PURGE_DELAY: '1000',
    ...env,
    [variable]: JSON.stringify(assignment),
  }
}

/** Takes the assignment out of the environment, so that nothing started from here inherits it. */
export function takeAssignment(env: NodeJS.ProcessEnv): Assignment | undefined {
  const text = env[variable]
  if (!text) return undefined
  delete env[variable]
  return JSON.parse(text) as Assignment
}
