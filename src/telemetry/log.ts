import pino from 'pino'
import type { Config } from '../config/schema.ts'
import { type LineSink, standardOutput } from './line-sink.ts'

export type Logger = pino.Logger

/** Writes the line of a request that is over. */
export type RequestLog = (fields: Record<string, unknown>) => void

export interface Log {
  logger: Logger
  /** The same line as `logger.info(fields)`, for a third of the cost: it is the one line that every request pays for. */
  request: RequestLog
  /** Resolves when every line so far has been handed to the system; for a clean stop. */
  flush(): Promise<void>
}

export interface LogPlace {
  /** Whether people read along: decides the format `auto`. */
  terminal: boolean
  /** Where lines go; standard output when left out. */
  sink?: LineSink
}

/** An error without its stack, which may quote source text, and without members that may hold a request. */
const errorMembers = (error: unknown): unknown => {
  if (!(error instanceof Error)) return typeof error === 'string' ? error : 'unknown error'
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  return { type: error.name, message: error.message, ...(code ? { code } : {}) }
}

/** A request or an answer that is logged whole shows where it went, never its headers. */
const requestMembers = (request: unknown): unknown => {
  if (!(request instanceof Request)) return undefined
  return { method: request.method, path: new URL(request.url).pathname }
}

const answerMembers = (answer: unknown): unknown => (answer instanceof Response ? { status: answer.status } : undefined)

/**
 * The structured log: JSON lines, or lines for people on a terminal, written off the request's way (within 50 ms, and
 * at the end of the process).
 */
export async function createLog(
  settings: Config['log'],
  { terminal, sink = standardOutput() }: LogPlace,
): Promise<Log> {
  const readable = settings.format === 'readable' || (settings.format === 'auto' && terminal)
  const logger = pino(
    {
      level: settings.level,
      // The host and process id stand in the journal already, in every line.
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: label => ({ level: label }) },
      serializers: {
        err: errorMembers,
        error: errorMembers,
        req: requestMembers,
        request: requestMembers,
        res: answerMembers,
        response: answerMembers,
        headers: () => undefined,
      },
    },
    readable ? await readableStream(sink, terminal) : { write: line => sink.write(line) },
  )
  const request: RequestLog = readable
    ? fields => logger.info(fields)
    : fields => {
        // The two members that a line begins with are put before the others as text: a copy of them all costs more.
        if (logger.isLevelEnabled('info'))
          sink.write(`{"level":"info","time":"${now()}",${JSON.stringify(fields).slice(1)}\n`)
      }
  return { logger, request, flush: () => sink.flush() }
}

let lastTime = 0
let lastText = ''

/** The time as ISO text, written anew only when the millisecond has changed. */
function now(): string {
  const time = Date.now()
  if (time !== lastTime) {
    lastTime = time
    lastText = new Date(time).toISOString()
  }
  return lastText
}

/** pino-pretty as a plain function: its transport would need a worker thread, which does not survive compilation. */
async function readableStream(sink: LineSink, terminal: boolean): Promise<pino.DestinationStream> {
  const { prettyFactory } = await import('pino-pretty')
  const pretty = prettyFactory({
    colorize: terminal && !process.env.NO_COLOR,
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
  })
  return { write: line => sink.write(pretty(JSON.parse(line) as object) ?? '') }
}
