import { loadConfig } from '../config/load.ts'
import { ConfigError, formatProblem, type Problem } from '../config/problems.ts'
import type { Environment } from '../config/references.ts'
import type { Config } from '../config/schema.ts'
import { withoutSecrets } from '../telemetry/delivery/outage.ts'
import { type Output, terminal } from './output.ts'

export interface CheckOptions {
  /** The file of `--config`; found as `serve` finds it when left out. */
  config?: string | undefined
  knownProviders?: readonly string[]
  env?: Environment
  folder?: string
  output?: Output
}

const faults = (problems: Problem[]) => `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'} found`

/** One line for each part of the configuration that a person would look for; keys by their names alone. */
function summary(config: Config): string[] {
  const keysOf = (keys: Record<string, string> | undefined) =>
    Object.keys(keys ?? {}).join(', ') || 'no key in the file'
  const providers = Object.entries(config.providers).map(([slug, { keys }]) => `${slug} (${keysOf(keys)})`)
  const own = Object.entries(config.custom_providers).map(
    ([name, { dialect, keys }]) => `custom-${name} (${dialect}, ${keysOf(keys)})`,
  )
  const tokens = config.tokens.map(({ name, permissions, gateways }) => {
    const only = gateways ? ` on ${gateways.join(', ') || 'no gateway'}` : ''
    return `${name} (${permissions.join(', ') || 'nothing'}${only})`
  })
  const gateways = [...new Set(['default', ...Object.keys(config.gateways)])].map(id =>
    config.gateways[id]?.authentication === false ? `${id} (open to anyone)` : id,
  )
  const domains = Object.entries(config.server.domains).map(([host, id]) => `${host} (${id})`)
  const { enabled, balance } = config.billing
  const traced = Object.entries(config.gateways).flatMap(([id, { otel }]) =>
    (otel ?? []).map(({ url }) => `${id} (${withoutSecrets(url)})`),
  )
  const pushed = config.logpush.map(({ url, gateway }) => {
    const place = url.startsWith('file:') ? url : withoutSecrets(url)
    return `${place} (${gateway === undefined ? 'gateways with logpush' : gateway})`
  })
  const line = (title: string, items: string[]) => `  ${title.padEnd(18)} ${items.join('; ') || 'none'}`
  return [
    line('address', [config.server.public_url]),
    ...(domains.length ? [line('domains', domains)] : []),
    line('accounts', config.accounts),
    line('providers', providers),
    ...(own.length ? [line('custom providers', own)] : []),
    line('gateways', gateways),
    line('tokens', tokens),
    ...(config.server.metrics === 'open' ? [line('metrics', ['open to anyone'])] : []),
    ...(traced.length ? [line('traces', traced)] : []),
    ...(pushed.length ? [line('logpush', pushed)] : []),
    ...(enabled ? [line('billing', [`credit of ${balance === 'token' ? 'each token' : 'the account'} pays`])] : []),
  ]
}

/**
 * `postern check`: reads the configuration as `serve` would and says what is wrong with it, or what is in it. Faults
 * and warnings go to stderr, the rest to stdout.
 *
 * @returns the exit code: 0 when it can be used, 2 when not
 */
export async function checkCommand(options: CheckOptions = {}): Promise<number> {
  const { config: path, env = process.env, output = terminal, knownProviders, folder } = options
  try {
    const { config, warnings } = loadConfig({
      path,
      env,
      ...(knownProviders ? { knownProviders } : {}),
      ...(folder ? { folder } : {}),
    })
    for (const warning of warnings) output.err(`${formatProblem(warning)} (warning)`)
    const name = path ?? (env.POSTERN_CONFIG || config.path?.split(/[\\/]/).at(-1))
    output.out(name ? `${name}: fine` : 'no postern.yaml here: the settings come from the environment')
    for (const line of summary(config)) output.out(line)
    return 0
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    for (const problem of error.problems) output.err(formatProblem(problem))
    output.err(faults(error.problems))
    return 2
  }
}
