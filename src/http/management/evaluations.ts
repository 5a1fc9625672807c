import { EVALUATION_TYPES, type EvaluationKind, Evaluator } from '../../gateway/evaluate.ts'
import { demandManaged, type Manager, notThere } from '../../gateway/manage.ts'
import {
  type Evaluation,
  EvaluationsQuery,
  type EvaluationType,
  EvaluationTypesQuery,
  NewEvaluation,
} from '../../schemas/management/evaluations.ts'
import type { StoredEvaluation, StoredResult } from '../../storage/evaluations.ts'
import type { Store } from '../../storage/store.ts'
import { invalid, success } from './answers.ts'
import type { ManagementHandler } from './call.ts'
import { datasetOf } from './datasets.ts'
import { bodyReader, queryReader } from './input.ts'
import { pageFrom, pageIn } from './paging.ts'

/** Evaluations and what they can count (contract 11.5 and 11.6). */

const MOST_EVALUATIONS = 1_000

const readNew = bodyReader(NewEvaluation)
const readQuery = queryReader(EvaluationsQuery)
const readTypesQuery = queryReader(EvaluationTypesQuery)

const listEvaluations: ManagementHandler = async ({ request, params, manager }) => {
  const { gateway, store, evaluator } = scopeOf(manager, params)
  const { name, processed, search = '', ...page } = readQuery(request)
  const all = await store.list(gateway)
  evaluator.takeUp(all)
  const list = all.filter(
    one =>
      (name === undefined || one.name === name) &&
      (processed === undefined || one.processed === processed) &&
      one.name.toLowerCase().includes(search.toLowerCase()),
  )
  return pageFrom(
    list.map(one => evaluationOf(one, manager.account)),
    pageIn(page),
  )
}

const getEvaluation: ManagementHandler = async ({ params, manager }) => {
  const { evaluator } = scopeOf(manager, params)
  const evaluation = await found(manager, params)
  evaluator.takeUp([evaluation])
  return success(evaluationOf(evaluation, manager.account))
}

const createEvaluation: ManagementHandler = async ({ request, params, manager }) => {
  const { gateway, store, evaluator } = scopeOf(manager, params)
  const { value, notes } = await readNew(request, manager.settings.config.server.max_body)
  const datasets = await Promise.all(
    [...new Set(value.dataset_ids)].map(async id => {
      const dataset = await manager.store.datasets.get(gateway, id)
      if (dataset) return dataset
      throw unknown('dataset_ids', value.dataset_ids.indexOf(id), 'there is no such dataset in this gateway')
    }),
  )
  const types = [...new Set(value.evaluation_type_ids)]
  for (const id of types)
    if (!EVALUATION_TYPES.includes(id as EvaluationKind)) {
      const message = `expected one of ${EVALUATION_TYPES.join(', ')}`
      throw unknown('evaluation_type_ids', value.evaluation_type_ids.indexOf(id), message)
    }
  const now = Date.now()
  const waits = { result: '', status: 'waits', logs: 0, modified: now } as const
  const evaluation: StoredEvaluation = {
    id: Bun.randomUUIDv7(),
    gateway,
    name: value.name,
    processed: false,
    logs: 0,
    datasets,
    results: types.map(type => ({ id: Bun.randomUUIDv7(), type, ...waits })),
    created: now,
    modified: now,
  }
  if (!(await store.add(evaluation, MOST_EVALUATIONS)))
    throw invalid('body', { path: '', message: `a gateway has at most ${MOST_EVALUATIONS} evaluations` })
  evaluator.begin(evaluation)
  return success(evaluationOf(evaluation, manager.account), { notes })
}

const deleteEvaluation: ManagementHandler = async ({ params, manager }) => {
  const { gateway, store } = scopeOf(manager, params)
  const evaluation = await found(manager, params)
  if (!(await store.remove(gateway, evaluation.id))) throw notThere('evaluation')
  return success(evaluationOf(evaluation, manager.account))
}

const listEvaluationTypes: ManagementHandler = ({ request }) => {
  const { order_by = 'name', order_by_direction = 'asc', ...page } = readTypesQuery(request)
  const sign = order_by_direction === 'asc' ? 1 : -1
  const list = TYPES.toSorted((a, b) => (a[order_by] < b[order_by] ? -sign : a[order_by] > b[order_by] ? sign : 0))
  return pageFrom(list, pageIn(page))
}

export const evaluations = {
  listEvaluations,
  getEvaluation,
  createEvaluation,
  deleteEvaluation,
  listEvaluationTypes,
}

/** They are as old as this program. */
const SINCE = '2026-11-20T00:00:00.000Z'
const typeOf = (id: EvaluationKind, name: string, description: string): EvaluationType => ({
  id,
  name,
  type: id,
  description,
  enable: true,
  mandatory: false,
  created_at: SINCE,
  modified_at: SINCE,
})
const TYPES: readonly EvaluationType[] = [
  typeOf('cost', 'Cost', 'The average cost of a log in USD, of those whose cost is known.'),
  typeOf('speed', 'Speed', 'The average duration of a log in milliseconds.'),
  typeOf('human_feedback', 'Human feedback', 'The percentage of thumbs up among the logs with feedback.'),
]

type Params = Readonly<Record<string, string>>

/** One for each store: the work that waits belongs to the process. */
const evaluators = new WeakMap<Store, Evaluator>()

function scopeOf(manager: Manager, { gateway = '' }: Params) {
  demandManaged(manager, gateway)
  const { store, settings } = manager
  const parts = { evaluations: store.evaluations, records: settings.live.records, log: settings.log }
  const evaluator = evaluators.get(store) ?? new Evaluator(parts)
  evaluators.set(store, evaluator)
  return { gateway, store: store.evaluations, evaluator }
}

async function found(manager: Manager, params: Params): Promise<StoredEvaluation> {
  const { gateway, store } = scopeOf(manager, params)
  const evaluation = await store.get(gateway, params.id ?? '')
  if (!evaluation) throw notThere('evaluation')
  return evaluation
}

const unknown = (member: string, index: number, message: string) => {
  const path = `${member}[${index}]`
  return invalid('body', { path, message: `${path}: ${message}` })
}

const STATUSES: Record<StoredResult['status'], [status: number, description: string]> = {
  waits: [0, 'waits'],
  done: [1, 'done'],
  none: [2, 'no log tells anything of it'],
  failed: [3, 'failed'],
}

function evaluationOf(one: StoredEvaluation, account: string): Evaluation {
  const created_at = new Date(one.created).toISOString()
  return {
    id: one.id,
    gateway_id: one.gateway,
    name: one.name,
    processed: one.processed,
    total_logs: one.logs,
    datasets: one.datasets.map(dataset => ({ ...datasetOf(dataset), account_id: account, account_tag: account })),
    results: one.results.map(({ id, type, result, status, logs, modified }) => ({
      id,
      evaluation_id: one.id,
      evaluation_type_id: type,
      result,
      status: STATUSES[status][0],
      status_description: STATUSES[status][1],
      total_logs: logs,
      created_at,
      modified_at: new Date(modified).toISOString(),
    })),
    created_at,
    modified_at: new Date(one.modified).toISOString(),
  }
}
