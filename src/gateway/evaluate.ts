import { dollarText } from '../costs/money.ts'
import type { StoredDataset } from '../storage/datasets.ts'
import type { EvaluationStore, StoredEvaluation, StoredResult } from '../storage/evaluations.ts'
import type { Records } from '../storage/records/index.ts'
import type { RecordFilter } from '../storage/records/types.ts'
import type { Logger } from '../telemetry/log.ts'

/** Evaluations over stored logs (contract 10.3), in the background: one after the other, in each process. */

/** What can be counted, by its id. */
export const EVALUATION_TYPES = ['cost', 'speed', 'human_feedback'] as const
export type EvaluationKind = (typeof EVALUATION_TYPES)[number]

/** Evaluations that wait in this process. Those beyond wait in the store until somebody looks at them. */
const MOST_WAITING = 100
/** Nobody works at one that was taken on so long ago: a process has ended meanwhile. */
const STALE_MS = 60_000

export interface EvaluatorParts {
  evaluations: EvaluationStore
  records: Pick<Records, 'list' | 'analytics'>
  log: Logger
}

export class Evaluator {
  readonly #parts: EvaluatorParts
  readonly #waiting = new Map<string, StoredEvaluation>()
  #isWorking = false

  constructor(parts: EvaluatorParts) {
    this.#parts = parts
  }

  /** Begins with one that has just been made. */
  begin(evaluation: StoredEvaluation): void {
    if (evaluation.processed || this.#waiting.size >= MOST_WAITING) return
    this.#waiting.set(evaluation.id, evaluation)
    if (!this.#isWorking) void this.#work()
  }

  /** Takes up those at which nobody works any more. */
  takeUp(evaluations: readonly StoredEvaluation[]): void {
    const before = Date.now() - STALE_MS
    for (const one of evaluations)
      if (!one.processed && one.modified < before && !this.#waiting.has(one.id)) this.begin(one)
  }

  async #work(): Promise<void> {
    this.#isWorking = true
    for (const [id, evaluation] of this.#waiting) {
      await this.#evaluate(evaluation).catch(error =>
        this.#parts.log.error({ error, evaluation: id }, 'an evaluation failed'),
      )
      this.#waiting.delete(id)
    }
    this.#isWorking = false
  }

  async #evaluate(evaluation: StoredEvaluation): Promise<void> {
    const { evaluations, records } = this.#parts
    const now = Math.max(Date.now(), evaluation.modified + 1)
    if (!(await evaluations.claim(evaluation, now))) return
    let whole = NOTHING
    let failed: unknown
    try {
      for (const dataset of evaluation.datasets) whole = sumOf(whole, await tallyOf(records, dataset, now))
    } catch (fault) {
      failed = fault
    }
    const results = evaluation.results.map(result => ({
      ...result,
      ...(failed === undefined ? resultOf(result.type, whole) : FAILED),
      modified: now,
    }))
    await evaluations.finish({ ...evaluation, logs: whole.logs, results, modified: now })
    if (failed !== undefined) throw failed
  }
}

/** What is counted in the logs of a dataset. */
interface Tally {
  logs: number
  /** Those whose cost is known. */
  priced: number
  /** Picodollars. */
  cost: bigint
  /** Milliseconds, of all together. */
  duration: number
  up: number
  down: number
}

const NOTHING: Tally = { logs: 0, priced: 0, cost: 0n, duration: 0, up: 0, down: 0 }

const sumOf = (a: Tally, b: Tally): Tally => ({
  logs: a.logs + b.logs,
  priced: a.priced + b.priced,
  cost: a.cost + b.cost,
  duration: a.duration + b.duration,
  up: a.up + b.up,
  down: a.down + b.down,
})

/** So long that all lies in one point. */
const ALL = 2 ** 52

async function tallyOf(
  records: EvaluatorParts['records'],
  { gateway, filters, enable, modified }: StoredDataset,
  now: number,
): Promise<Tally> {
  const until = enable ? now : modified
  const [sum] = await records.analytics.fine({ gateway, from: 0, to: until, interval: ALL, filters })
  if (!sum) return NOTHING
  const within: RecordFilter[] = [...filters, { key: 'created_at', operator: 'lt', value: [until] }]
  const count = async (more: RecordFilter) =>
    (await records.list(gateway, { filters: [...within, more], perPage: 1 })).total
  return {
    logs: sum.attempts,
    cost: sum.cost,
    duration: (sum.duration ?? 0) * sum.attempts,
    // What has no cost is above nothing.
    priced: await count({ key: 'cost', operator: 'gt', value: [-1] }),
    up: await count({ key: 'feedback', operator: 'gt', value: [0] }),
    // Thumbs down may be 0, too (contract 8.2).
    down: await count({ key: 'feedback', operator: 'lt', value: [1] }),
  }
}

type Result = Pick<StoredResult, 'result' | 'status' | 'logs'>

const FAILED: Result = { result: '', status: 'failed', logs: 0 }

const done = (result: string, logs: number): Result => ({ result, status: 'done', logs })

function resultOf(type: string, { logs, priced, cost, duration, up, down }: Tally): Result {
  if (type === 'cost' && priced > 0)
    return done(dollarText((2n * cost + BigInt(priced)) / (2n * BigInt(priced))), priced)
  if (type === 'speed' && logs > 0) return done(String(Math.round((duration * 10) / logs) / 10), logs)
  if (type === 'human_feedback' && up + down > 0)
    return done(String(Math.round((up * 10_000) / (up + down)) / 100), up + down)
  return { result: '', status: 'none', logs: 0 }
}
