import { endWithBench, runPart, taskOfPart } from './child.ts'
import { median, quantile } from './report.ts'
import { type Call, requestBytes, watchAnswers } from './wire.ts'

/** How long a whole answer takes on one connection, by turns to each of several places, in microseconds. */

interface Task {
  calls: Call[]
  rounds: number
  requests: number
}

export interface Latency {
  median: number
  p99: number
}

/** Requests to one place before it is the next one's turn: short, so that a noisy moment falls on all alike. */
const turn = 10

/**
 * Measures in `rounds` rounds of so many requests to each place; gives, for each call in order, the rounds' medians and
 * 99th percentiles.
 */
export function measureLatency(calls: Call[], rounds: number, requests: number): Promise<Latency[][]> {
  return runPart<Latency[][]>('latency.ts', { calls, rounds, requests } satisfies Task)
}

/** The 99th percentile of a quiet round. Noise of a shared machine only ever adds, and by milliseconds. */
export const quietP99 = (rounds: Latency[]) =>
  quantile(
    rounds.map(round => round.p99),
    0.25,
  )

/** What the way through a place adds to the direct one: the middle round's median, a quiet round's 99th percentile. */
export function added(direct: Latency[], through: Latency[]): Latency {
  return {
    median: median(through.map((round, at) => round.median - direct[at]!.median)),
    p99: quietP99(through) - quietP99(direct),
  }
}

async function connect(call: Call): Promise<() => Promise<number>> {
  const request = requestBytes(call)
  const answers = watchAnswers()
  let resolve: (nanoseconds: number) => void = () => {}
  let reject: (error: unknown) => void = () => {}
  const socket = await Bun.connect({
    hostname: '127.0.0.1',
    port: call.port,
    socket: {
      data(_, bytes) {
        try {
          if (answers.read(bytes)) resolve(Bun.nanoseconds())
        } catch (error) {
          reject(error)
        }
      },
      close: () => reject(new Error('the connection was closed')),
    },
  })
  return async () => {
    const answered = new Promise<number>((yes, no) => {
      resolve = yes
      reject = no
    })
    const asked = Bun.nanoseconds()
    socket.write(request)
    return ((await answered) - asked) / 1000
  }
}

async function measure({ calls, rounds, requests }: Task): Promise<Latency[][]> {
  const places = await Promise.all(calls.map(connect))
  for (const ask of places) for (let at = 0; at < 500; at++) await ask()
  const order = [...places.entries()]
  const outcome: Latency[][] = calls.map(() => [])
  for (let round = 0; round < rounds; round++) {
    const times = places.map(() => [] as number[])
    for (let at = 0; at < requests; at += turn) {
      // There and back again, so that none is always behind the same other one.
      for (const [place, ask] of (at / turn) % 2 ? order.toReversed() : order) {
        for (let one = 0; one < turn; one++) times[place]!.push(await ask())
      }
    }
    for (const [place, all] of times.entries()) {
      outcome[place]!.push({ median: median(all), p99: quantile(all, 0.99) })
    }
  }
  return outcome
}

if (import.meta.main) {
  endWithBench()
  process.send?.(await measure(taskOfPart<Task>()))
}
