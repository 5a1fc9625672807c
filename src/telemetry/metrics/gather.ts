import { type Family, family } from './family.ts'

/**
 * The metrics of all workers, whichever of them is asked: it asks the supervisor, which asks every worker and sends on
 * what they say, as text that it never looks into.
 */

/** What a worker tells its supervisor about metrics. */
export type MetricsFromWorker =
  /** Wants those of all workers. */
  | { type: 'metrics-ask'; ask: number }
  /** Its own, as it was asked. */
  | { type: 'metrics-own'; question: number; metrics: string }

/** What a supervisor tells its workers about metrics. */
export type MetricsToWorker =
  /** Say yours. */
  | { type: 'metrics-tell'; question: number }
  /** What all have said that did within the time. */
  | { type: 'metrics-all'; ask: number; metrics: string[]; workers: number }

/** Milliseconds that a worker may take; it is busy, or ending. */
const PATIENCE_MS = 1_000
/** Milliseconds after which a worker answers for itself alone: the supervisor is older, or gone. */
const ALONE_MS = 2_000
/** Questions that wait at once; scrapes beyond that get what the asked worker knows. */
const MOST_WAITING = 100

/** What is needed of a worker to ask it. */
export interface Asked {
  send(message: MetricsToWorker): void
}

interface Question {
  asker: Asked
  ask: number
  metrics: string[]
  workers: number
  done(): void
}

/**
 * The supervisor's part.
 * @param workers those that run now
 * @returns takes what a worker says; one that asks is answered once all have said theirs, or after a second
 */
export function metricsRelay(workers: () => readonly Asked[]): (message: MetricsFromWorker, from: Asked) => void {
  const open = new Map<number, Question>()
  let last = 0
  return (message, from) => {
    if (message.type === 'metrics-own') {
      const question = open.get(message.question)
      if (!question) return
      question.metrics.push(message.metrics)
      if (question.metrics.length === question.workers) question.done()
      return
    }
    const asked = workers()
    const number = ++last
    const { ask } = message
    const answer = (metrics: string[]) => from.send({ type: 'metrics-all', ask, metrics, workers: asked.length })
    if (!asked.length || open.size >= MOST_WAITING) return answer([])
    const metrics: string[] = []
    const done = () => {
      clearTimeout(timer)
      if (open.delete(number)) answer(metrics)
    }
    const timer = setTimeout(done, PATIENCE_MS)
    open.set(number, { asker: from, ask, metrics, workers: asked.length, done })
    for (const worker of asked) worker.send({ type: 'metrics-tell', question: number })
  }
}

/** A worker's part. */
export class MetricsGatherer {
  readonly #tell: (message: MetricsFromWorker) => void
  readonly #own: () => Family[]
  readonly #waiting = new Map<number, (metrics: string[], workers: number) => void>()
  #last = 0

  /**
   * @param tell says something to the supervisor
   * @param own this worker's metrics
   */
  constructor(tell: (message: MetricsFromWorker) => void, own: () => Family[]) {
    this.#tell = tell
    this.#own = own
  }

  /** Takes what the supervisor says. */
  heard(message: MetricsToWorker): void {
    if (message.type === 'metrics-tell')
      this.#tell({ type: 'metrics-own', question: message.question, metrics: JSON.stringify(this.#own()) })
    else this.#waiting.get(message.ask)?.(message.metrics, message.workers)
  }

  /** Those of all workers, with two numbers beside them that say how many there are and how many of them have answered. */
  all(): Promise<Family[][]> {
    if (this.#waiting.size >= MOST_WAITING) return Promise.resolve([this.#own()])
    const ask = ++this.#last
    const { promise, resolve } = Promise.withResolvers<Family[][]>()
    const finish = (metrics: string[], workers: number) => {
      clearTimeout(timer)
      this.#waiting.delete(ask)
      const all = metrics.length ? metrics.map(text => JSON.parse(text) as Family[]) : [this.#own()]
      resolve([...all, answered(all.length, Math.max(workers, 1))])
    }
    const timer = setTimeout(finish, ALONE_MS, [], 0)
    this.#waiting.set(ask, finish)
    this.#tell({ type: 'metrics-ask', ask })
    return promise
  }
}

function answered(count: number, workers: number): Family[] {
  const running = family('gauge', 'postern_workers', 'Processes that serve.')
  running.values.push({ labels: {}, value: workers })
  const scraped = family('gauge', 'postern_scraped_workers', 'Those of them whose numbers are in this answer.')
  scraped.values.push({ labels: {}, value: count })
  return [running, scraped]
}
