import type { Format } from './answers.ts'
import { checkGateway } from './check.ts'
import { cpuMicrosEach } from './cpu.ts'
import { added, type Latency, measureLatency, quietP99 } from './latency.ts'
import { load } from './load.ts'
import { type Memory, peakMemory } from './memory.ts'
import { median, type Row } from './report.ts'
import { holdStreams, runStreams } from './streams.ts'
import { plainCall, type Subject } from './subject.ts'

/** One function a measure; each gives the rows that it prints. */

export interface Bench {
  /** The gateway, or whatever stands in its place. */
  postern: Subject
  /** Absent where nginx is not installed. */
  nginx: Subject | null
  upstreamPort: number
  folder: string
  quick: boolean
  /** Starts a fresh one, to be stopped by the caller. */
  fresh(which: 'postern' | 'nginx'): Promise<Subject>
  /** Sets what streams are like from now on. */
  plan(chunks: number, pace: number): Promise<void>
  /** Streams open at the provider. */
  openStreams(): Promise<number>
  /** Says something under the table. */
  note(text: string): void
  /** How many requests each subject was sent, by name: its log is held against this. */
  sent: Map<string, number>
}

const count = (bench: Bench, subject: Subject, requests: number) =>
  bench.sent.set(subject.name, (bench.sent.get(subject.name) ?? 0) + requests)

interface Rounds {
  postern: number[]
  nginx: number[]
}

/** Measures both by turns, in the other order each time, after one round that warms up and is not counted. */
async function rounds(bench: Bench, number: number, measure: (subject: Subject, warm: boolean) => Promise<number>) {
  const outcome: Rounds = { postern: [], nginx: [] }
  for (let round = -1; round < number; round++) {
    const sides = ['postern', 'nginx'] as const
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      const subject = bench[side]
      if (!subject) continue
      const value = await measure(subject, round < 0)
      if (round >= 0) outcome[side].push(value)
    }
  }
  return outcome
}

function compared({ postern, nginx }: Rounds): Pick<Row, 'postern' | 'nginx' | 'ratio' | 'rounds'> {
  return {
    postern: median(postern),
    nginx: nginx.length ? median(nginx) : null,
    ratio: nginx.length ? median(postern.map((value, at) => value / nginx[at]!)) : null,
    rounds: { postern, nginx },
  }
}

/** CPU time a request that wants a whole answer in OpenAI's format. */
export async function requestRows(bench: Bench): Promise<Row[]> {
  return requestRow(bench, subject => subject.call('openai', false), 'CPU a request', 2.5)
}

/** The same at the provider's own address, where nothing is read or written anew. */
export async function nativeRows(bench: Bench): Promise<Row[]> {
  const native = (stream: boolean) => (subject: Subject) => subject.native?.(stream) ?? subject.call('openai', stream)
  return [
    ...(await requestRow(bench, native(false), 'CPU a request, native', 2.2)),
    ...(await chunkRow(bench, native(true), 'CPU a chunk, native', 1.3)),
  ]
}

/** CPU time of an answer that is kept: nothing is asked of the provider, while nginx goes on asking. */
export async function cacheRows(bench: Bench): Promise<Row[]> {
  await checkGateway(bench, 'cached')
  return requestRow(bench, subject => subject.call('openai', false, 'cached'), 'CPU a request, from the cache', 1.2)
}

/** CPU time with every control on: limits of requests, tokens and money, a policy, retries, and a cache that misses. */
export async function controlsRows(bench: Bench): Promise<Row[]> {
  await checkGateway(bench, 'controlled')
  return requestRow(bench, subject => subject.call('openai', false, 'controlled'), 'CPU a request, all controls', 3)
}

/** CPU time with records and their bodies. */
export async function recordsRows(bench: Bench): Promise<Row[]> {
  await checkGateway(bench, 'recorded')
  const recorded = (stream: boolean) => (subject: Subject) => subject.call('openai', stream, 'recorded')
  return [
    ...(await requestRow(bench, recorded(false), 'CPU a request, recorded', 3)),
    ...(await chunkRow(bench, recorded(true), 'CPU a chunk, recorded', 1.6)),
  ]
}

type MakeCall = (subject: Subject) => ReturnType<Subject['call']>

async function requestRow(bench: Bench, call: MakeCall, measure: string, bound: number): Promise<Row[]> {
  const speeds = new Map<string, number[]>()
  const measured = await rounds(bench, bench.quick ? 2 : 5, (subject, warm) =>
    cpuMicrosEach(subject.pid, async () => {
      const seconds = bench.quick ? (warm ? 1 : 2) : 3
      const { requests, perSecond } = await load(call(subject), 32, seconds, bench.folder)
      count(bench, subject, requests)
      if (!warm) speeds.set(subject.name, [...(speeds.get(subject.name) ?? []), perSecond])
      return requests
    }),
  )
  const speed = [...speeds].map(([name, all]) => `${name} ${Math.round(median(all)).toLocaleString('en')}`)
  bench.note(`${measure}: requests a second, on what the others left of the machine: ${speed.join(', ')}`)
  return [{ measure, unit: 'µs', ...compared(measured), bound: { ratio: bound } }]
}

/** 200 streams at once, each chunk of a stream 10 ms after the last, so that each is read by itself. */
async function chunkRow(bench: Bench, call: MakeCall, measure: string, bound: number): Promise<Row[]> {
  const streams = 200
  const chunks = bench.quick ? 120 : 200
  const warmUp = 60
  const pace = 10
  const reads = new Map<string, number[]>()
  const measured = await rounds(bench, bench.quick ? 2 : 7, async (subject, warm) => {
    await bench.plan(warm ? warmUp : chunks, pace)
    return cpuMicrosEach(subject.pid, async () => {
      const outcome = await runStreams(call(subject), streams)
      count(bench, subject, streams)
      if (!warm) reads.set(subject.name, [...(reads.get(subject.name) ?? []), outcome.reads / streams / chunks])
      return streams * (warm ? warmUp : chunks)
    })
  })
  for (const [name, all] of reads) {
    // Chunks that arrive together cost less each, so a busy machine flatters whoever was slow.
    if (median(all) < 0.95) bench.note(`${measure}: ${name} gave only ${median(all).toFixed(2)} reads a chunk`)
  }
  return [{ measure, unit: 'µs', ...compared(measured), bound: { ratio: bound } }]
}

const streamed =
  (format: Format): MakeCall =>
  subject =>
    subject.call(format, true)

/** CPU time a chunk of a provider that speaks OpenAI's format. */
export const chunkRows = (bench: Bench) => chunkRow(bench, streamed('openai'), 'CPU a chunk, OpenAI', 1.5)

/** CPU time a chunk that is translated; nginx passes on what Anthropic's stand-in sends. */
export const translateRows = (bench: Bench) =>
  chunkRow(bench, streamed('anthropic'), 'CPU a chunk, Anthropic → OpenAI', 2)

/** What is added to the time of an answer on one connection. */
export async function latencyRows(bench: Bench): Promise<Row[]> {
  const subjects = bench.nginx ? [bench.postern, bench.nginx] : [bench.postern]
  const calls = [plainCall(bench.upstreamPort, 'openai', false), ...subjects.map(it => it.call('openai', false))]
  const [number, requests] = bench.quick ? [8, 600] : [16, 1000]
  const [direct, postern, nginx] = await measureLatency(calls, number, requests)
  for (const subject of subjects) count(bench, subject, 500 + number * requests)
  const ours = added(direct!, postern!)
  const theirs = nginx ? added(direct!, nginx) : null
  const row = (measure: string, of: 'median' | 'p99', bound: number): Row => ({
    measure,
    unit: 'µs',
    postern: ours[of],
    nginx: theirs?.[of] ?? null,
    ratio: theirs && theirs[of] > 0 ? ours[of] / theirs[of] : null,
    bound: { value: bound },
    rounds: { postern: postern!.map(it => it[of]), nginx: nginx?.map(it => it[of]) ?? [] },
  })
  const middle = (all: Latency[], of: keyof Latency) => median(all.map(it => it[of])).toFixed(0)
  const noisy = [direct!, postern!, ...(nginx ? [nginx] : [])].map(all => middle(all, 'p99')).join(', ')
  const [plain, quiet] = [middle(direct!, 'median'), quietP99(direct!).toFixed(0)]
  bench.note(`latency without a proxy: median ${plain} µs, p99 ${quiet} µs; the rows say what is added to it`)
  bench.note(`p99 is a quiet round's (lower quartile); the middle round's, without and through each: ${noisy} µs`)
  return [row('latency added, median', 'median', 150), row('latency added, p99', 'p99', 1000)]
}

/** The memory of the process tree, fresh from its start, while so many streams are open. */
export async function memoryRows(bench: Bench): Promise<Row[]> {
  const streams = 2000
  await bench.plan(1_000_000, 1000)
  const held = async (which: 'postern' | 'nginx'): Promise<Memory> => {
    const subject = await bench.fresh(which)
    try {
      const client = await holdStreams(subject.call('openai', true), streams)
      const memory = await peakMemory(subject.pid, bench.quick ? 1500 : 5000)
      const open = await bench.openStreams()
      client.child.kill()
      if (open !== streams) throw new Error(`${open} streams reached the provider, not ${streams}`)
      return memory
    } finally {
      await subject.stop()
    }
  }
  const ours = await held('postern')
  const theirs = bench.nginx ? await held('nginx') : null
  const row = (measure: string, of: keyof Memory, bound?: number): Row => ({
    measure,
    unit: 'MB',
    postern: ours[of] / 1e6,
    nginx: theirs ? theirs[of] / 1e6 : null,
    ratio: theirs ? ours[of] / theirs[of] : null,
    ...(bound && { bound: { value: bound } }),
  })
  return [row('memory, 2,000 streams (PSS)', 'pss', 150), row('memory, 2,000 streams (RSS, shared pages twice)', 'rss')]
}

/** From the start of the process to the first 200 of /healthz. */
export async function startRows(bench: Bench): Promise<Row[]> {
  const times: Rounds = { postern: [], nginx: [] }
  const sides = bench.nginx ? (['postern', 'nginx'] as const) : (['postern'] as const)
  for (let round = 0; round < (bench.quick ? 3 : 9); round++) {
    for (const side of sides) {
      const subject = await bench.fresh(side)
      times[side].push(subject.readyAfter)
      await subject.stop()
    }
  }
  return [{ measure: 'ready after start', unit: 'ms', ...compared(times), bound: { value: 100 } }]
}
