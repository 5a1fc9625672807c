import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A real PostgreSQL, alone in a folder, that keeps nothing longer than this process lives. */
export interface PostgresServer {
  port: number
  /** The address of a schema of its own, empty, in the server's one database. */
  fresh(): Promise<string>
  /** The address of a database by name, for a user. */
  address(user?: string, database?: string): string
  /** Statements of its superuser. */
  command(statement: string): Promise<Record<string, unknown>[]>
  /** Ends it at once, as a machine that loses its power, and starts it anew at the same place. */
  restart(): Promise<void>
  kill(): Promise<void>
  start(): Promise<void>
  /** Lets it neither answer nor refuse. */
  freeze(): void
  thaw(): void
  /** Ends it for good and takes its folder away. */
  remove(): Promise<void>
}

const USER = 'postern'
const DATABASE = 'postern'

/** The folder of `initdb` and `postgres`: the newest of Debian's, or where the path finds them. */
function programs(): string | undefined {
  const debian = '/usr/lib/postgresql'
  if (existsSync(debian)) {
    const versions = readdirSync(debian).sort((a, b) => Number(b) - Number(a))
    const newest = versions.find(version => existsSync(join(debian, version, 'bin/initdb')))
    if (newest) return join(debian, newest, 'bin')
  }
  return Bun.which('initdb')?.replace(/\/initdb$/, '')
}

/**
 * Whether a PostgreSQL can be started here. Where it is not installed the tests that need it are skipped with a word,
 * and fail where `CI` is set.
 */
export const hasPostgres: boolean = (() => {
  if (programs()) return true
  if (process.env.CI) throw new Error('PostgreSQL (initdb, postgres) is not installed, and CI is set')
  console.warn('skipped: PostgreSQL is not installed, so no test runs against it (Debian: apt install postgresql)')
  return false
})()

/** PostgreSQL does not run as root: then somebody without rights runs it. */
function owner(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find(line => line.startsWith('nobody:'))
  const [, , uid, gid] = line?.split(':') ?? []
  return { uid: Number(uid ?? 65_534), gid: Number(gid ?? 65_534) }
}

/** Ends the server with its folder when whoever started it is gone, however it went; the word `keep` keeps the folder. */
const GUARD =
  'trap "" INT; "$@" >"$FOLDER/log" 2>&1 & read word; kill -QUIT $!; wait; [ "$word" = keep ] || rm -rf "$FOLDER"'

/** @param settings of PostgreSQL, in the place of those that are usual here */
export async function postgresServer(settings: Record<string, string> = {}): Promise<PostgresServer> {
  const bin = programs()!
  const folder = mkdtempSync(join(tmpdir(), 'postern-postgres-'))
  const user = owner()
  if (user) chownSync(folder, user.uid, user.gid)
  const data = join(folder, 'data')
  const port = await freePort()
  const init = ['-D', data, '-U', USER, '-A', 'trust', '-E', 'UTF8', '--no-sync', ...language(bin)]
  const made = Bun.spawnSync([join(bin, 'initdb'), ...init], { ...user, cwd: folder, stdout: 'ignore', stderr: 'pipe' })
  if (made.exitCode !== 0) throw new Error(`initdb: ${made.stderr}`)
  const flags = Object.entries({
    port: `${port}`,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: 'off',
    shared_buffers: '16MB',
    max_connections: '100',
    // A second, otherwise.
    deadlock_timeout: '20ms',
    ...settings,
  }).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const run = [join(bin, 'postgres'), '-D', data, ...flags]
  const address = (name = USER, database = DATABASE) => `postgres://${name}@127.0.0.1:${port}/${database}`
  let guard: Bun.Subprocess<'pipe', 'ignore', 'ignore'> | undefined
  let schemas = 0

  const command = async (statement: string, database = DATABASE) => {
    const sql = new Bun.SQL(address(USER, database), { max: 1, connectionTimeout: 5 })
    try {
      return await sql.unsafe(statement)
    } finally {
      await sql.close()
    }
  }
  const start = async () => {
    const stdio = { stdin: 'pipe', stdout: 'ignore', stderr: 'ignore' } as const
    const env = { ...process.env, FOLDER: folder }
    guard = Bun.spawn(['sh', '-c', GUARD, 'sh', ...run], { ...user, ...stdio, env, cwd: folder })
    for (const deadline = Date.now() + 20_000; ; await Bun.sleep(20)) {
      try {
        await command('SELECT 1', 'postgres')
        return
      } catch (fault) {
        if (Date.now() > deadline) throw new Error(`postgres: ${fault}\n${readFileSync(join(folder, 'log'), 'utf8')}`)
      }
    }
  }
  const end = async (word: string) => {
    guard?.stdin.write(`${word}\n`)
    guard?.stdin.end()
    await guard?.exited
    guard = undefined
  }
  const kill = () => end('keep')
  const signal = (name: NodeJS.Signals) => {
    const master = Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0])
    // The server for each connection is a child of the first process, which is stopped before it makes others.
    for (const pid of [master, ...childrenOf(master)]) process.kill(pid, name)
  }
  await start()
  await command(`CREATE DATABASE ${DATABASE}`, 'postgres')
  return {
    port,
    address,
    command,
    start,
    kill,
    async fresh() {
      const schema = `fresh_${++schemas}`
      await command(`CREATE SCHEMA ${schema}`)
      return `${address()}?search_path=${schema}`
    },
    async restart() {
      await kill()
      await start()
    },
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    async remove() {
      await end('')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A language with an order of its own, so that whoever relies on the order of bytes is found out. */
function language(bin: string): string[] {
  const version = Number(/\d+/.exec(Bun.spawnSync([join(bin, 'initdb'), '--version']).stdout.toString())?.[0])
  return version >= 15 ? ['--locale=C', '--locale-provider=icu', '--icu-locale=en'] : ['--locale=C']
}

function childrenOf(pid: number): number[] {
  const { stdout } = Bun.spawnSync(['ps', '-A', '-o', 'pid=,ppid='])
  return stdout
    .toString()
    .split('\n')
    .map(line => line.trim().split(/\s+/).map(Number))
    .filter(([, parent]) => parent === pid)
    .map(([child]) => child!)
}

function freePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const server = createServer()
  server.on('error', reject)
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
  })
  return promise
}
