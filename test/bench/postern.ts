import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { end, freePort, jsonHeaders, keep, openaiBody, type Subject, untilHealthy } from './subject.ts'

const token = 'bench-token-0123456789abcdef0123456789abcdef'
const path = '/v1/home/default/compat/chat/completions'

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
gateways:
  default:
    authentication: true
`
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
    call: (format, stream) => ({
      port,
      path,
      headers: { ...jsonHeaders, authorization: `Bearer ${token}` },
      body: openaiBody(format === 'openai' ? 'openai/bench' : 'anthropic/claude-bench', stream),
    }),
    native: stream => ({
      port,
      path: '/v1/home/default/openai/chat/completions',
      headers: { ...jsonHeaders, authorization: `Bearer ${token}` },
      body: openaiBody('bench', stream),
    }),
    stop: () => end(child),
  }
}
