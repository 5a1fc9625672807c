import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { open } from '../open.ts'

/** The envelope of the management API (contract 11.1), and what lists add to it. */

const Notice = open({ code: Type.Integer(), message: Type.String() })

const members = {
  success: Type.Literal(true),
  errors: Type.Array(Notice, { maxItems: 0 }),
  messages: Type.Array(Notice, { description: 'What was said and has no effect.' }),
}

/** One result in its envelope. */
export const enveloped = <S extends TSchema>($id: string, result: S) => open({ ...members, result }, { $id })

export const ResultInfo = open(
  {
    page: Type.Integer(),
    per_page: Type.Integer(),
    count: Type.Integer({ description: 'How many this page has.' }),
    total_count: Type.Integer(),
    total_pages: Type.Integer(),
  },
  { $id: 'ResultInfo' },
)

/** One page of a list in its envelope. A page past the end is empty. */
export const envelopedPage = <S extends TSchema>($id: string, item: S) =>
  open({ ...members, result: Type.Array(item), result_info: ResultInfo }, { $id })

export const ManagementError = open(
  {
    success: Type.Literal(false),
    errors: Type.Array(
      open({
        code: Type.Integer(),
        message: Type.String(),
        path: Type.Optional(
          Type.Array(Type.String(), { description: 'Where the fault lies: `["query", "per_page"]`.' }),
        ),
      }),
      { minItems: 1 },
    ),
    messages: Type.Array(Notice),
    result: Type.Null(),
  },
  { $id: 'ManagementError', description: 'A refusal in Cloudflare’s envelope.' },
)

/** What every list takes in its query. */
export const Paging = open({
  page: Type.Optional(Type.Integer({ minimum: 1, default: 1, description: 'Counted from 1.' })),
  per_page: Type.Optional(Type.Integer({ minimum: 1, maximum: 50, default: 20, description: 'How many a page has.' })),
})

export type ResultInfo = Static<typeof ResultInfo>
export type Paging = Static<typeof Paging>
