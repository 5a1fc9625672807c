import type { App } from '../app.ts'
import { ConfigError } from '../config/problems.ts'
import type { Config } from '../config/schema.ts'
import type { GatewaySettings } from '../schemas/gateway.ts'
import type { Keeping } from '../storage/records/index.ts'
import type { Store } from '../storage/store.ts'
import type { Logger } from '../telemetry/log.ts'
import type { Assignment } from './assignment.ts'
import { openChannel } from './channel.ts'
import { asRun, onlyAtStart, type RunningDemo, readConfiguration, readFile, withPort } from './configuration.ts'
import { drain } from './drain.ts'
import { dropsIn } from './drops.ts'
import { reportFault } from './fault.ts'
import { firstToken } from './first-token.ts'
import { giveUpHolds } from './holds.ts'
import { assertPortFree, listening } from './port.ts'

/**
 * The serving process: reads the configuration, opens the store, listens, and tells its supervisor that it is ready.
 * Ends the process with 2 for a faulty configuration and 1 for anything else that keeps it from serving.
 */
export async function work(assignment: Assignment): Promise<void> {
  try {
    await serve(assignment)
  } catch (error) {
    process.exit(reportFault(error))
  }
}

async function serve(assignment: Assignment): Promise<void> {
  const channel = openChannel()
  const { config: read, warnings } = await readConfiguration(assignment, channel)
  const terminal = process.stdout.isTTY === true
  const { createLog } = await import('../telemetry/log.ts')
  const { logger, request: logRequest, flush } = await createLog(read.log, { terminal })
  for (const { message, ...place } of warnings) logger.warn(place, message)
  surviveFaults(logger)

  const { listenForPeers, peersOf } = await import('../http/peers.ts')
  const [demo, { openStore }, { openLive }, { assemble }, { createApp }, { openTelemetry }] = await Promise.all([
    startDemo(assignment),
    import('../storage/store.ts'),
    import('../storage/live.ts'),
    import('../gateway/assemble.ts'),
    import('../app.ts'),
    import('./telemetry.ts'),
  ])
  let config = asRun(read, assignment, demo)
  const store = await openStore(config.storage.database)
  /** The gateway that asks comes after the stores that it asks with. */
  const asked: { app?: App } = {}
  const shared = assignment.shared || config.server.workers > 1
  const telemetry = await openTelemetry({
    config,
    log: logger,
    channel,
    settingsOf: gateway => asked.app?.settingsOf(gateway),
    ...(shared && { worker: assignment.index }),
  })
  const drops = dropsIn(logger)
  const live = await openLive(config, store, {
    onFailure: (what, up, reason) =>
      logger[up ? 'info' : 'error']({ store: what, reason }, up ? 'reached again' : 'not reached'),
    onDropped: (what, count, why) => {
      telemetry.lost(what, count)
      drops.tell(what, count, why)
    },
    keeping: gateway => keepingOf(asked.app?.settingsOf(gateway)),
    assemble,
  })
  const peers = shared ? peersOf(process.ppid, assignment.index) : undefined
  const app = createApp({ config, store, live, log: logger, logRequest, ...telemetry.parts, ...(peers && { peers }) })
  asked.app = app

  const firstOfAll = assignment.first && assignment.index === 0
  if (firstOfAll && shared) assertPortFree(config.server)
  const listener = listening(config.server, () => app.listen({ reusePort: shared }))
  const leavePeers = peers && listenForPeers(peers.path, app.handle)
  const atRealPort = (given: Config): Config => {
    given.server.public_url = withPort(given.server.public_url, read.server.port, listener.port)
    return given
  }
  atRealPort(config)

  const made = firstOfAll && !demo ? await firstToken(config, store) : undefined
  channel.tell({
    type: 'ready',
    port: listener.port,
    workers: config.server.workers,
    drain: config.server.drain,
    json: read.log.format === 'json' || (read.log.format === 'auto' && !terminal),
    configuration: JSON.stringify(read),
  })
  logger.info({ address: config.server.public_url, worker: assignment.index }, 'listening')

  const reload = () => {
    const next = readAgain(assignment, logger)
    if (!next) return
    const fixed = onlyAtStart(read, next)
    if (fixed.length) logger.warn({ settings: fixed }, 'these settings change only at the next start')
    config = atRealPort(asRun(next, { ...assignment, port: listener.port }, demo))
    logger.level = config.log.level
    app.reload(config)
    channel.tell({ type: 'configuration', configuration: JSON.stringify(next), drain: config.server.drain })
    logger.info('configuration read again')
  }
  channel.onReload(reload)
  if (read.path !== undefined) {
    const { watchConfig } = await import('../config/watch.ts')
    watchConfig(read.path, reload)
  }

  const leaveHolds = assignment.index === 0 ? giveUpHolds(store.credits, logger) : undefined
  // What became too old while nothing ran: the next look is minutes away, and some run for less than that.
  if (firstOfAll) live.records.sweep().catch(error => logger.error({ error }, 'old records were not looked for'))

  channel.onStop(async () => {
    channel.onStop(() => {})
    leaveHolds?.()
    await drain(listener, config.server.drain, logger)
    leavePeers?.()
    await Promise.all([telemetry.close(), live.close()])
    drops.rest()
    await store.close()
    await flush()
    process.exit(0)
  })

  // The first request that has a price shall not wait for it.
  void import('../costs/bundled.ts').then(({ loadList }) => loadList())
  if (firstOfAll && (made || demo || terminal)) await greet(config, store, made, demo)
}

/** The file as it is now, or nothing and the reasons in the log: then what is in force stays in force. */
function readAgain(assignment: Assignment, log: Logger): Config | undefined {
  try {
    const { config, warnings } = readFile(assignment)
    for (const { message, ...place } of warnings) log.warn(place, message)
    return config
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    for (const { message, ...place } of error.problems) log.error(place, `configuration not taken over: ${message}`)
    return undefined
  }
}

/** How much of a gateway's records is kept (contract section 8.4). */
const keepingOf = (settings: GatewaySettings | undefined): Keeping | undefined =>
  settings && { most: settings.log_management ?? null, strategy: settings.log_management_strategy ?? null }

async function startDemo({ demo }: Assignment): Promise<RunningDemo | undefined> {
  if (!demo) return undefined
  const { serveDemo } = await import('../demo/server.ts')
  return { base_url: `http://127.0.0.1:${serveDemo().port}/v1`, token: demo.token }
}

/** On standard error, so that standard output stays a log of lines. */
async function greet(
  config: Config,
  store: Store,
  made: string | undefined,
  demo: RunningDemo | undefined,
): Promise<void> {
  const { findOllama, findOllamaModel, greeting } = await import('./greeting.ts')
  const at = config.providers.ollama?.base_url
  const [ollama, ollamaModel, keys] = await Promise.all([findOllama(at), findOllamaModel(at), store.keys.list()])
  process.stderr.write(
    greeting({
      config,
      token: made ?? demo?.token,
      isNew: made !== undefined,
      demo: demo !== undefined,
      stored: keys.map(({ provider }) => provider),
      ollama,
      ollamaModel,
    }),
  )
}

/** A fault in one request must not end the streams of all others. */
function surviveFaults(log: Logger): void {
  process.on('unhandledRejection', error => log.error({ error }, 'a fault that nobody caught'))
  process.on('uncaughtException', error => log.error({ error }, 'a fault that nobody caught'))
}
