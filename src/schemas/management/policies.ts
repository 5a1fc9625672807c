import { Type } from '@sinclair/typebox'
import { open } from '../open.ts'
import { Policy, Simulation } from '../policy.ts'
import { enveloped, ResultInfo } from './envelope.ts'

/** Answers about policies (contract 5.3), some of which tell more beside the result. */

const flag = (description: string) => Type.Optional(Type.Boolean({ description }))

const { properties: policyEnvelope } = enveloped('', Policy)
export const PolicyAnswer = open(
  {
    ...policyEnvelope,
    committed: flag('Whether it is in force; only after a change.'),
    uncommitted: flag('It is a draft.'),
  },
  { $id: 'PolicyAnswer' },
)

const { properties: listEnvelope } = enveloped('', Type.Array(Policy))
export const PolicyList = open(
  { ...listEnvelope, result_info: Type.Optional(ResultInfo) },
  { $id: 'PolicyList', description: 'All of them, unless pages are asked for.' },
)

const { success: _, ...commitEnvelope } = enveloped(
  '',
  open({
    committed: Type.Integer(),
    failed: Type.Integer(),
    policies: Type.Array(Policy, { description: 'Those that are in force now.' }),
    errors: Type.Optional(Type.Array(open({ policyId: Type.String(), error: Type.String() }))),
  }),
).properties
export const CommitAnswer = open(
  { success: Type.Boolean({ description: 'Whether all drafts are in force now.' }), ...commitEnvelope },
  { $id: 'CommitAnswer' },
)

export const RemovedPolicyAnswer = enveloped('RemovedPolicyAnswer', open({ id: Type.String() }))
export const SimulationAnswer = enveloped('SimulationAnswer', Simulation)
