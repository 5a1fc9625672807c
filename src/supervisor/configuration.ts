import { type Loaded, loadConfig } from '../config/load.ts'
import { ConfigError } from '../config/problems.ts'
import type { Config } from '../config/schema.ts'
import { providerSlugs } from '../providers/slugs.ts'
import type { Assignment } from './assignment.ts'
import type { Channel } from './channel.ts'

/** Reads the file that the assignment names, with the providers that this executable has. */
export const readFile = (assignment: Assignment): Loaded =>
  loadConfig({ path: assignment.config, env: process.env, knownProviders: providerSlugs })

/**
 * Reads the configuration for a worker that starts. One that takes a dead worker's place while the file is broken goes
 * on with the last configuration that was good, as its predecessor would have done.
 *
 * @throws ConfigError when the file is faulty and there is no such configuration
 */
export async function readConfiguration(assignment: Assignment, channel: Channel): Promise<Loaded> {
  try {
    return readFile(assignment)
  } catch (error) {
    if (!(error instanceof ConfigError) || assignment.first) throw error
    const kept = await channel.lastGood()
    if (kept === undefined) throw error
    return { config: JSON.parse(kept, withoutPrototype) as Config, warnings: error.problems }
  }
}

/** Records that are looked into with words from a request must not find `constructor` in them. */
function withoutPrototype(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.assign(Object.create(null), value)
}

/** Where the demo provider of this process listens, and the token that opens it. */
export interface RunningDemo {
  base_url: string
  token: string
}

/**
 * The configuration as this process runs it: on the port that an earlier worker got, and with the demo provider where it
 * is on. Without a file the demo keeps nothing on disk.
 */
export function asRun(read: Config, assignment: Assignment, demo: RunningDemo | undefined): Config {
  const config: Config = { ...read, server: { ...read.server, port: assignment.port ?? read.server.port } }
  if (!demo) return config
  config.custom_providers = Object.assign(Object.create(null), read.custom_providers, {
    demo: { base_url: demo.base_url, dialect: 'openai-chat', faithful: true },
  })
  config.tokens = [...read.tokens, { name: 'demo', token: demo.token, permissions: ['run'] }]
  if (read.path === undefined) config.storage = { ...read.storage, database: 'sqlite::memory:' }
  return config
}

/** The address for people with the port that was really had, where `--port` or port 0 made it another. */
export const withPort = (address: string, configured: number, real: number): string =>
  address.endsWith(`:${configured}`) ? address.replace(/\d+$/, String(real)) : address

/** What a reload cannot change, by its name in the file. */
export function onlyAtStart(old: Config, next: Config): string[] {
  const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other)
  const names: string[] = []
  for (const key of ['host', 'port', 'workers'] as const) {
    if (!same(old.server[key], next.server[key])) names.push(`server.${key}`)
  }
  if (!same(old.storage, next.storage)) names.push('storage')
  if (old.log.format !== next.log.format) names.push('log.format')
  return names
}
