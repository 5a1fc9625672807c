import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  end,
  freePort,
  type GatewayName,
  jsonHeaders,
  keep,
  openaiBody,
  type Subject,
  untilHealthy,
} from './subject.ts'
import { SERIAL } from './wire.ts'

const token = 'bench-token-0123456789abcdef0123456789abcdef'

function configuration(port: number, upstream: number): string {
  return `server:
  host: 127.0.0.1
  port: ${port}
  workers: 1
storage:
  database: sqlite:./postern.db
log:
  level: info
  format: json
tokens:
  - name: bench
    token: ${token}
    permissions: [run]
providers:
  openai:
    base_url: http://127.0.0.1:${upstream}/openai
    keys: { default: sk-bench }
  anthropic:
    base_url: http://127.0.0.1:${upstream}/anthropic
    keys: { default: sk-bench }
prices:
  openai/bench-priced: { input: 1.25, output: 10, cache_read: 0.125 }
gateways:
  # What every request pays for: who calls, whose key, what it used, and a line in the log.
  default:
    collect_logs: false
  recorded: {}
  cached:
    collect_logs: false
    cache_ttl: 3600
  # Everything that can keep a request back, all of it far from its end. Every request is another one to the cache.
  controlled:
    collect_logs: false
    cache_ttl: 60
    rate_limiting_limit: 1000000000
    rate_limiting_tokens: 1000000000000
    rate_limiting_interval: 60
    rate_limiting_technique: sliding
    retry_max_attempts: 3
    spend_limits:
      enabled: true
      rules: [{ limit: 1000000, window: 86400 }]
    policies:
      - condition: 'metadata.team != "nobody"'
        action: { type: limit, amount: 1000000, period: daily, technique: named-interval }
`
}

const gateways: Record<GatewayName, { model: string; headers?: Record<string, string>; varies?: boolean }> = {
  default: { model: 'openai/bench' },
  recorded: { model: 'openai/bench-priced' },
  cached: { model: 'openai/bench' },
  controlled: { model: 'openai/bench-priced', headers: { 'cf-aig-metadata': '{"team":"bench"}' }, varies: true },
}

/**
 * Starts the gateway as an operator would: a closed gateway, one token, two providers, one worker, requests logged as
 * JSON to a file. `executable` may be a TypeScript file, which is then run by this Bun. Throws what it said when it
 * does not start.
 */
export async function startPostern(executable: string, folder: string, upstream: number): Promise<Subject> {
  mkdirSync(folder, { recursive: true })
  const port = freePort()
  writeFileSync(join(folder, 'postern.yaml'), configuration(port, upstream))
  const log = join(folder, 'postern.log')
  const output = openSync(log, 'a')
  const command = executable.endsWith('.ts') ? [process.execPath, executable] : [executable]
  // Only what a program needs: keys of the person who runs this have no place here.
  const env = { PATH: process.env.PATH ?? '', HOME: folder }
  const started = performance.now()
  const child = keep(
    Bun.spawn([...command, 'serve'], { cwd: folder, env, stdin: 'ignore', stdout: output, stderr: output }),
  )
  closeSync(output)
  await untilHealthy(child, port, 'Postern', log)
  const readyAfter = performance.now() - started
  return {
    name: 'Postern',
    port,
    pid: child.pid,
    log,
    readyAfter,
    call: (format, stream, gateway = 'default') => {
      const { model, headers, varies } = gateways[gateway]
      return {
        port,
        path: `/v1/home/${gateway}/compat/chat/completions`,
        headers: { ...jsonHeaders, authorization: `Bearer ${token}`, ...headers },
        body: openaiBody(format === 'openai' ? model : 'anthropic/claude-bench', stream, varies ? SERIAL : undefined),
      }
    },
    native: stream => ({
      port,
      path: '/v1/home/default/openai/chat/completions',
      headers: { ...jsonHeaders, authorization: `Bearer ${token}` },
      body: openaiBody('bench', stream),
    }),
    stop: () => end(child),
  }
}
