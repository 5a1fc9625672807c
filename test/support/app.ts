import { type App, createApp } from '../../src/app.ts'
import { buildConfig } from '../../src/config/build.ts'
import type { Config, File } from '../../src/config/schema.ts'
import { loadList } from '../../src/costs/bundled.ts'
import { assemble } from '../../src/gateway/assemble.ts'
import { readBodies, understand } from '../../src/gateway/recorded-texts.ts'
import { providerSlugs } from '../../src/providers/slugs.ts'
import { type Live, openLive } from '../../src/storage/live.ts'
import { openStore, type Store } from '../../src/storage/store.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { Telemetry } from '../../src/telemetry/telemetry.ts'

/** The token of a test that is about something else. */
export const TOKEN = 'a-token-for-tests-only'

export interface RunningApp {
  address: string
  port: number
  app: App
  store: Store
  live: Live
  /** Everything that was logged, as it would stand in the journal. */
  logged(): string
  /** The lines of requests that are over, oldest first. */
  requests(): Record<string, unknown>[]
  /** Resolves with the line of the last request once there are that many. */
  record(count: number): Promise<Record<string, unknown>>
  reload(file: File): void
  stop(): Promise<void>
}

/** A configuration as a file with these settings gives it; one token with all permissions unless the file names some. */
export function configOf(file: File): Config {
  const server = { port: 0, ...file.server }
  const tokens = file.tokens ?? [{ name: 'tests', token: TOKEN, permissions: ['run', 'read', 'edit'] }]
  return buildConfig({ ...file, server, tokens } as File, { providers: {}, warnings: [] }, [...providerSlugs])
}

/** Starts the whole app in this process, on a free port, with a database in memory and a log that is kept. */
export async function startApp(file: File = {}): Promise<RunningApp> {
  let text = ''
  const sink = {
    write(line: string) {
      text += line
    },
    flush: async () => {},
  }
  const { logger, request } = await createLog({ level: 'debug', format: 'json' }, { terminal: false, sink })
  const store = await openStore('sqlite::memory:')
  // As a server does when it has started: the line of a request never waits for it.
  await loadList()
  const config = configOf(file)
  const live = await openLive(config, store, { assemble })
  const started: { app?: App } = {}
  const telemetry = await Telemetry.open({
    config,
    log: logger,
    version: 'test',
    settingsOf: gateway => started.app?.settingsOf(gateway),
    readBodies,
    understand,
  })
  const app = createApp({ config, store, live, log: logger, logRequest: request, telemetry })
  started.app = app
  const listener = app.listen({ reusePort: false })
  const requests = () =>
    text
      .split('\n')
      .filter(Boolean)
      .map(line => JSON.parse(line) as Record<string, unknown>)
      .filter(line => 'duration_ms' in line)
  return {
    address: `http://127.0.0.1:${listener.port}`,
    port: listener.port,
    app,
    store,
    live,
    logged: () => text,
    requests,
    async record(count) {
      for (let tries = 0; tries < 200 && requests().length < count; tries++) await Bun.sleep(10)
      const line = requests()[count - 1]
      if (!line) throw new Error(`only ${requests().length} requests on record:\n${text}`)
      return line
    },
    reload: next => app.reload(configOf(next)),
    async stop() {
      await listener.stop(false)
      await telemetry.close()
      await live.close()
      await store.close()
    },
  }
}
