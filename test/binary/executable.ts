import { existsSync, mkdtempSync, readdirSync, readlinkSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The compiled executable that these tests run; they build nothing themselves. */
export const executable = join(import.meta.dir, '../../dist/postern')

export function assertBuilt(): void {
  if (!existsSync(executable)) throw new Error('dist/postern is missing: run `make build` first')
}

/** An empty folder to run in, gone with `remove`. */
export function folder(files: Record<string, string> = {}): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'postern-binary-'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text)
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** Nothing of the developer's own keys and settings. */
const cleanEnv = { PATH: process.env.PATH ?? '', HOME: '/nonexistent', NO_COLOR: '1' }

export interface Finished {
  code: number
  out: string
  err: string
}

/** Runs a command to its end. */
export async function run(words: string[], cwd: string, env: Record<string, string> = {}): Promise<Finished> {
  assertBuilt()
  const child = Bun.spawn([executable, ...words], { cwd, env: { ...cleanEnv, ...env }, stdout: 'pipe', stderr: 'pipe' })
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  return { code, out, err }
}

export interface Running {
  address: string
  port: number
  pid: number
  /** What it has written so far, both ways. */
  said(): string
  /** Resolves when it has written something that matches. */
  until(pattern: RegExp): Promise<RegExpMatchArray>
  signal(name: NodeJS.Signals): void
  exited: Promise<number>
  /** The process ids of the serving processes. */
  workers(): number[]
}

/** Starts a server on a free port and waits until it listens. */
export async function start(words: string[], cwd: string, env: Record<string, string> = {}): Promise<Running> {
  assertBuilt()
  const child = Bun.spawn([executable, ...words, '--port', '0'], {
    cwd,
    env: { ...cleanEnv, ...env },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  let text = ''
  const gather = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder()
    for await (const bytes of stream) text += decoder.decode(bytes, { stream: true })
  }
  void gather(child.stdout)
  void gather(child.stderr)
  const until = async (pattern: RegExp) => {
    for (let tries = 0; tries < 500; tries++) {
      const match = pattern.exec(text)
      if (match) return match
      await Bun.sleep(20)
    }
    throw new Error(`never said ${pattern}; it said:\n${text}`)
  }
  const running: Running = {
    address: '',
    port: 0,
    pid: child.pid,
    said: () => text,
    until,
    signal: name => child.kill(name),
    exited: child.exited,
    workers: () => childrenOf(child.pid),
  }
  started.add(running)
  const port = (await until(/"address":"http:\/\/127\.0\.0\.1:(\d+)"/))[1]
  running.port = Number(port)
  running.address = `http://127.0.0.1:${port}`
  return running
}

const started = new Set<Running>()

/** Ends every server that a test has left running. */
export async function endAll(): Promise<void> {
  for (const running of started) {
    const workers = running.workers()
    running.signal('SIGKILL')
    await running.exited
    for (const pid of workers) await ended(pid)
  }
  started.clear()
}

export function childrenOf(pid: number): number[] {
  const { stdout } = Bun.spawnSync(['ps', '-A', '-o', 'pid=,ppid='])
  return stdout
    .toString()
    .split('\n')
    .map(line => line.trim().split(/\s+/).map(Number))
    .filter(([, parent]) => parent === pid)
    .map(([child]) => child ?? 0)
}

/** The processes of this executable whose working folder is this one; Linux only. */
export function processesIn(path: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter(pid => {
      try {
        return (
          readlinkSync(`/proc/${pid}/cwd`) === path && readlinkSync(`/proc/${pid}/exe`) === realpathSync(executable)
        )
      } catch {
        return false
      }
    })
}

const isRunning = (pid: number): boolean => {
  const { stdout } = Bun.spawnSync(['ps', '-o', 'stat=', '-p', String(pid)])
  const state = stdout.toString().trim()
  return state !== '' && !state.startsWith('Z')
}

/** Resolves whether a process is gone within five seconds. */
export async function ended(pid: number): Promise<boolean> {
  for (let tries = 0; tries < 100; tries++) {
    if (!isRunning(pid)) return true
    await Bun.sleep(50)
  }
  return false
}

/** Asks again until the answer is as wanted, for five seconds. */
export async function eventually(check: () => Promise<boolean> | boolean): Promise<boolean> {
  for (let tries = 0; tries < 100; tries++) {
    if (await check()) return true
    await Bun.sleep(50)
  }
  return false
}

/** The status of a request that needs a token. */
export async function statusWith(address: string, token: string): Promise<number> {
  try {
    const answer = await fetch(`${address}/v1/models`, {
      headers: { authorization: `Bearer ${token}` },
      keepalive: false,
    })
    await answer.arrayBuffer()
    return answer.status
  } catch {
    return 0
  }
}
