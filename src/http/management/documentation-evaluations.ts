import { DatasetAnswer, DatasetPage, DatasetsQuery, NewDataset } from '../../schemas/management/datasets.ts'
import {
  EvaluationAnswer,
  EvaluationPage,
  EvaluationsQuery,
  EvaluationTypePage,
  EvaluationTypesQuery,
  NewEvaluation,
} from '../../schemas/management/evaluations.ts'
import { account, accountAndGateway, componentOf, pathParameter } from '../documentation-headers.ts'
import { route } from '../documentation-operation.ts'
import { ALWAYS, answer, BASE, body, GATEWAY, OF_ONE, operation, query } from './documentation-parts.ts'

/** Datasets and evaluations in the document (contract 11.4 to 11.6). */

const DATASETS = `${GATEWAY}/datasets`
const EVALUATIONS = `${GATEWAY}/evaluations`

const times = { created_at: '2026-11-20T09:00:00.000Z', modified_at: '2026-11-20T09:00:00.000Z' }
const info = { page: 1, per_page: 20, count: 1, total_count: 1, total_pages: 1 }

const newDataset = {
  name: 'Dear answers',
  enable: true,
  filters: [{ key: 'cost', operator: 'gt', value: [0.01] }],
}
const dataset = { id: '019a9f0c-6f5e-7c3a-9d51-0a6b1a3f2e77', gateway_id: 'default', ...newDataset, ...times }
const aDataset = answer(DatasetAnswer, dataset)
const oneDataset = [
  ...accountAndGateway,
  componentOf('Dataset', pathParameter('id', 'The id of the dataset.', dataset.id)),
]

const evaluationId = '019a9f0d-11b2-7d40-8c1e-5f0a3b9c7d21'
const evaluation = {
  id: evaluationId,
  gateway_id: 'default',
  name: 'What dear answers cost',
  processed: true,
  total_logs: 120,
  datasets: [{ ...dataset, account_id: 'home', account_tag: 'home' }],
  results: [
    {
      id: '019a9f0d-11b2-7d40-8c1e-5f0a3b9c7d22',
      evaluation_id: evaluationId,
      evaluation_type_id: 'cost',
      result: '0.0213',
      status: 1,
      status_description: 'done',
      total_logs: 118,
      ...times,
    },
  ],
  ...times,
}
const anEvaluation = answer(EvaluationAnswer, evaluation)
const oneEvaluation = [
  ...accountAndGateway,
  componentOf('Evaluation', pathParameter('id', 'The id of the evaluation.', evaluationId)),
]

export const evaluationOperations = {
  listDatasets: route(
    'GET',
    DATASETS,
    operation('listDatasets', 'List the datasets', {
      parameters: [...accountAndGateway, ...query(DatasetsQuery, 'Dataset')],
      answer: answer(DatasetPage, [dataset], info),
      refusals: OF_ONE,
    }),
  ),
  createDataset: route(
    'POST',
    DATASETS,
    operation('createDataset', 'Make a dataset', {
      parameters: accountAndGateway,
      requestBody: body(NewDataset, newDataset),
      answer: aDataset,
      refusals: [...OF_ONE, 413],
    }),
  ),
  getDataset: route(
    'GET',
    `${DATASETS}/:id`,
    operation('getDataset', 'Look at a dataset', { parameters: oneDataset, answer: aDataset, refusals: OF_ONE }),
  ),
  replaceDataset: route(
    'PUT',
    `${DATASETS}/:id`,
    operation('replaceDataset', 'Put a dataset anew', {
      description: 'Evaluations that were made before stay as they are.',
      parameters: oneDataset,
      requestBody: body(NewDataset, newDataset),
      answer: aDataset,
      refusals: [...OF_ONE, 413],
    }),
  ),
  deleteDataset: route(
    'DELETE',
    `${DATASETS}/:id`,
    operation('deleteDataset', 'Remove a dataset', {
      description: 'The logs stay, and so do evaluations.',
      parameters: oneDataset,
      answer: aDataset,
      refusals: OF_ONE,
    }),
  ),
  listEvaluations: route(
    'GET',
    EVALUATIONS,
    operation('listEvaluations', 'List the evaluations', {
      parameters: [...accountAndGateway, ...query(EvaluationsQuery, 'Evaluation')],
      answer: answer(EvaluationPage, [evaluation], info),
      refusals: OF_ONE,
    }),
  ),
  createEvaluation: route(
    'POST',
    EVALUATIONS,
    operation('createEvaluation', 'Evaluate the logs of datasets', {
      description: 'In the background: look again until it is `processed`.',
      parameters: accountAndGateway,
      requestBody: body(NewEvaluation, {
        name: evaluation.name,
        dataset_ids: [dataset.id],
        evaluation_type_ids: ['cost'],
      }),
      answer: anEvaluation,
      refusals: [...OF_ONE, 413],
    }),
  ),
  getEvaluation: route(
    'GET',
    `${EVALUATIONS}/:id`,
    operation('getEvaluation', 'Look at an evaluation', {
      parameters: oneEvaluation,
      answer: anEvaluation,
      refusals: OF_ONE,
    }),
  ),
  deleteEvaluation: route(
    'DELETE',
    `${EVALUATIONS}/:id`,
    operation('deleteEvaluation', 'Remove an evaluation', {
      parameters: oneEvaluation,
      answer: anEvaluation,
      refusals: OF_ONE,
    }),
  ),
  listEvaluationTypes: route(
    'GET',
    `${BASE}/evaluation-types`,
    operation('listEvaluationTypes', 'List what evaluations can count', {
      parameters: [account, ...query(EvaluationTypesQuery, 'EvaluationType')],
      answer: answer(
        EvaluationTypePage,
        [
          {
            id: 'cost',
            name: 'Cost',
            type: 'cost',
            description: 'The average cost of a log in USD, of those whose cost is known.',
            enable: true,
            mandatory: false,
            ...times,
          },
        ],
        info,
      ),
      refusals: ALWAYS,
    }),
  ),
}
