import { type Static, Type } from '@sinclair/typebox'
import { open, optional } from './open.ts'

/** OpenAI's list of models with Cloudflare's prices (contract 1.4). */
export const Model = open(
  {
    id: Type.String({ description: 'What to give as `model`.', examples: ['anthropic/claude-haiku-4-5'] }),
    object: Type.Literal('model'),
    created: Type.Integer({ description: 'Seconds since 1970; 0 where it is not known.' }),
    created_at: optional(Type.Integer(), { description: 'The same, under Cloudflare’s name.' }),
    owned_by: Type.String({ description: 'The provider.' }),
    cost_in: optional(Type.Number(), { description: 'USD for one token of the prompt; null where it is not known.' }),
    cost_out: optional(Type.Number(), { description: 'USD for one token of the answer; null where it is not known.' }),
  },
  { $id: 'Model' },
)

export const ModelList = open({ object: Type.Literal('list'), data: Type.Array(Model) }, { $id: 'ModelList' })

export type Model = Static<typeof Model>
export type ModelList = Static<typeof ModelList>
