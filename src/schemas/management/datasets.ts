import { type Static, Type } from '@sinclair/typebox'
import { open, word } from '../open.ts'
import { enveloped, envelopedPage, Paging } from './envelope.ts'

/** Datasets: filters over logs, under a name (contract 10.3 and 11.4). */

const KEYS = [
  'created_at',
  'request_content_type',
  'response_content_type',
  'success',
  'cached',
  'provider',
  'model',
  'cost',
  'tokens',
  'tokens_in',
  'tokens_out',
  'duration',
  'feedback',
] as const

export const DatasetFilter = open(
  {
    key: word([...KEYS]),
    operator: word(['eq', 'contains', 'lt', 'gt']),
    value: Type.Array(Type.Union([Type.String({ maxLength: 1_000 }), Type.Number(), Type.Boolean()]), {
      minItems: 1,
      maxItems: 100,
      description: 'One of them suffices.',
    }),
  },
  { $id: 'DatasetFilter' },
)

const members = {
  name: Type.String({ minLength: 1, maxLength: 200 }),
  enable: Type.Boolean({
    description: 'Whether it takes in what is logged from now on; otherwise it ends with its last change.',
  }),
  filters: Type.Array(DatasetFilter, { maxItems: 50, description: 'All of them hold for each log in it.' }),
}

export const NewDataset = open(members, { $id: 'NewDataset', description: 'A dataset to be made, or put anew.' })

export const Dataset = open(
  {
    id: Type.String(),
    gateway_id: Type.String(),
    ...members,
    created_at: Type.String({ format: 'date-time' }),
    modified_at: Type.String({ format: 'date-time' }),
  },
  { $id: 'Dataset' },
)

export const DatasetsQuery = open({
  ...Paging.properties,
  enable: Type.Optional(Type.Boolean()),
  name: Type.Optional(Type.String({ description: 'The whole name.' })),
  search: Type.Optional(Type.String({ description: 'Text within the name.' })),
})

export const DatasetAnswer = enveloped('DatasetAnswer', Dataset)
export const DatasetPage = envelopedPage('DatasetPage', Dataset)

export type DatasetFilter = Static<typeof DatasetFilter>
export type NewDataset = Static<typeof NewDataset>
export type Dataset = Static<typeof Dataset>
