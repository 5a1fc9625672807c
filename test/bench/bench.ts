import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { checkAnswers } from './check.ts'
import { type Part, startPart } from './child.ts'
import { generator } from './load.ts'
import { memoryOf } from './memory.ts'
import { findNginx, startNginx } from './nginx.ts'
import { startPostern } from './postern.ts'
import { kept, type Row, table } from './report.ts'
import {
  type Bench,
  cacheRows,
  chunkRows,
  controlsRows,
  latencyRows,
  memoryRows,
  nativeRows,
  recordsRows,
  requestRows,
  startRows,
  translateRows,
} from './rows.ts'
import { end, type Subject } from './subject.ts'

const help = `bun test/bench/bench.ts [executable] [options]

Measures the gateway (dist/postern, or the executable named) beside nginx as a bare proxy, with authentication and
request logging on.

  --quick        fewer and shorter rounds, about a minute
  --only <rows>  request, chunk, translate, native, cache, controls, records, latency, memory, start; several with commas
  --json <file>  writes the numbers there too
  --self         puts a second nginx in the gateway's place: every ratio should then be 1
  --strict       ends with 1 when a bound is missed
`

const measures = {
  request: requestRows,
  chunk: chunkRows,
  translate: translateRows,
  native: nativeRows,
  cache: cacheRows,
  controls: controlsRows,
  records: recordsRows,
  latency: latencyRows,
  memory: memoryRows,
  start: startRows,
}
type Measure = keyof typeof measures

/** Ends with a message about how the command was called or what the machine lacks. */
function refuse(message: string): never {
  console.error(message)
  process.exit(2)
}

function options() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        quick: { type: 'boolean', default: false },
        only: { type: 'string', multiple: true, default: [] },
        json: { type: 'string' },
        self: { type: 'boolean', default: false },
        strict: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
    return { ...values, executable: resolve(positionals[0] ?? 'dist/postern') }
  } catch (error) {
    return refuse(`${error instanceof Error ? error.message : error}\n\n${help}`)
  }
}

const asked = options()
if (asked.help) {
  console.log(help)
  process.exit(0)
}
const names = Object.keys(measures) as Measure[]
const wanted = asked.only.flatMap(text => text.split(',')).map(text => text.trim())
for (const name of wanted) if (!names.includes(name as Measure)) refuse(`no such row: ${name} (${names.join(', ')})`)
const chosen = wanted.length ? names.filter(name => wanted.includes(name)) : names
if (!existsSync('/proc/self/smaps_rollup'))
  refuse('the benchmark reads CPU time and memory from /proc: it runs on Linux')
if (!asked.self && !existsSync(asked.executable)) refuse(`${asked.executable} is not there: run \`make build\` first`)
const nginxExecutable = findNginx()
if (!nginxExecutable) {
  console.error(
    'nginx is not on the PATH: there is nothing to compare with, and bounds in multiples of it count as missed',
  )
  if (asked.self) process.exit(2)
}

const folder = mkdtempSync(join(tmpdir(), 'postern-bench-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))

// A copy, so that a build meanwhile changes nothing, and no other process of the same file shares its pages.
const executable = asked.executable.endsWith('.ts') ? asked.executable : join(folder, 'postern-under-test')
if (!asked.self && executable !== asked.executable) copyFileSync(asked.executable, executable)

const provider: Part = startPart('upstream.ts')
const { port: upstreamPort } = await provider.next<{ port: number }>()
const ask = (path: string) => fetch(`http://127.0.0.1:${upstreamPort}/bench/${path}`)

let starts = 0
async function start(which: 'postern' | 'nginx'): Promise<Subject> {
  const place = join(folder, `${which}-${starts++}`)
  mkdirSync(place)
  return which === 'postern' && !asked.self
    ? startPostern(executable, place, upstreamPort)
    : startNginx(nginxExecutable!, place, upstreamPort, which === 'postern' ? 'second nginx' : 'nginx')
}

/** The two that serve all rows but those that need a fresh one. */
const started = (which: 'postern' | 'nginx') =>
  start(which).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error)
    return process.exit(1)
  })

const notes: string[] = []
const began = performance.now()
const bench: Bench = {
  postern: await started('postern'),
  nginx: nginxExecutable ? await started('nginx') : null,
  upstreamPort,
  folder,
  quick: asked.quick,
  fresh: start,
  plan: async (chunks, pace) => void (await ask(`plan?chunks=${chunks}&pace=${pace}`)),
  openStreams: async () => ((await (await ask('state')).json()) as { open: number }).open,
  note: text => void notes.push(text),
  sent: new Map(),
}

const rows: (Row & { id: Measure })[] = []
for (const id of chosen) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${id} …`)
  try {
    if (id === 'request' || id === 'chunk' || id === 'translate') await checkAnswers(bench, id)
    for (const row of await measures[id](bench)) rows.push({ id, ...row })
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error)
    rows.push({ id, measure: id, unit: 'µs', postern: null, nginx: null, ratio: null, failure })
    notes.push(`${id} could not be measured: ${failure}`)
  }
}
if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')

async function logLines(subject: Subject): Promise<number> {
  let lines = 0
  for await (const part of Bun.file(subject.log).stream()) {
    for (let at = part.indexOf(10); at >= 0; at = part.indexOf(10, at + 1)) lines++
  }
  return lines
}
for (const subject of [bench.postern, bench.nginx]) {
  const sent = subject ? (bench.sent.get(subject.name) ?? 0) : 0
  const lines = subject && sent ? await logLines(subject) : 0
  if (lines < sent * 0.99) notes.push(`NOT COMPARABLE: ${subject?.name} logged ${lines} lines for ${sent} requests`)
}

const rest = memoryOf(bench.postern.pid)
const mega = (bytes: number) => (bytes / 1e6).toFixed(0)
notes.push(`memory at rest, after all of this: ${mega(rest.pss)} MB PSS, ${mega(rest.rss)} MB RSS`)
await bench.postern.stop()
await bench.nginx?.stop()
await end(provider.child)

const machine = `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} threads`
console.log(`${table(rows, bench.postern.name)}\n`)
for (const note of notes) console.log(`· ${note}`)
console.log(`· ${machine}; requests by ${generator}; ${((performance.now() - began) / 1000).toFixed(0)} s`)

if (asked.json) {
  const judged = rows.map(row => ({ ...row, ok: kept(row) }))
  await Bun.write(
    asked.json,
    `${JSON.stringify({ date: new Date(), machine, quick: asked.quick, rows: judged, notes }, null, 2)}\n`,
  )
}
process.exit(asked.strict && rows.some(row => kept(row) === false) ? 1 : 0)
