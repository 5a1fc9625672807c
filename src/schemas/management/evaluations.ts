import { type Static, Type } from '@sinclair/typebox'
import { open, word } from '../open.ts'
import { Dataset } from './datasets.ts'
import { enveloped, envelopedPage, Paging } from './envelope.ts'

/** Evaluations: what the logs of datasets come to (contract 10.3, 11.5 and 11.6). */

const time = Type.String({ format: 'date-time' })

const EvaluationResult = open(
  {
    id: Type.String(),
    evaluation_id: Type.String(),
    evaluation_type_id: Type.String(),
    result: Type.String({
      description: 'The average cost in USD, the average duration in milliseconds, or the percentage of thumbs up.',
    }),
    status: Type.Integer({ description: '0: waits; 1: done; 2: no log tells anything of it; 3: failed.' }),
    status_description: Type.String(),
    total_logs: Type.Integer({ description: 'The logs that it is the result of.' }),
    created_at: time,
    modified_at: time,
  },
  { $id: 'EvaluationResult' },
)

export const Evaluation = open(
  {
    id: Type.String(),
    gateway_id: Type.String(),
    name: Type.String(),
    processed: Type.Boolean({ description: 'Whether the results are there.' }),
    total_logs: Type.Integer({ description: 'A log that is in several datasets counts in each.' }),
    datasets: Type.Array(
      open(
        { ...Dataset.properties, account_id: Type.String(), account_tag: Type.String() },
        { $id: 'EvaluatedDataset' },
      ),
      { description: 'As they were when the evaluation was made.' },
    ),
    results: Type.Array(EvaluationResult),
    created_at: time,
    modified_at: time,
  },
  { $id: 'Evaluation' },
)

const ids = (of: string) => Type.Array(Type.String(), { minItems: 1, maxItems: 20, description: `The ids of ${of}.` })

export const NewEvaluation = open(
  {
    name: Type.String({ minLength: 1, maxLength: 200 }),
    dataset_ids: ids('datasets of the gateway'),
    evaluation_type_ids: ids('evaluation types'),
  },
  { $id: 'NewEvaluation' },
)

export const EvaluationsQuery = open({
  ...Paging.properties,
  name: Type.Optional(Type.String({ description: 'The whole name.' })),
  processed: Type.Optional(Type.Boolean()),
  search: Type.Optional(Type.String({ description: 'Text within the name.' })),
})

export const EvaluationType = open(
  {
    id: Type.String(),
    name: Type.String(),
    type: Type.String({ description: '`cost`, `speed` or `human_feedback`.' }),
    description: Type.String(),
    enable: Type.Boolean(),
    mandatory: Type.Boolean(),
    created_at: time,
    modified_at: time,
  },
  { $id: 'EvaluationType' },
)

export const EvaluationTypesQuery = open({
  ...Paging.properties,
  order_by: Type.Optional(word(['name', 'type', 'id', 'created_at', 'modified_at'])),
  order_by_direction: Type.Optional(word(['asc', 'desc'])),
})

export const EvaluationAnswer = enveloped('EvaluationAnswer', Evaluation)
export const EvaluationPage = envelopedPage('EvaluationPage', Evaluation)
export const EvaluationTypePage = envelopedPage('EvaluationTypePage', EvaluationType)

export type Evaluation = Static<typeof Evaluation>
export type EvaluationType = Static<typeof EvaluationType>
