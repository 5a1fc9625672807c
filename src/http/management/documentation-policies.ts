import { Paging } from '../../schemas/management/envelope.ts'
import {
  CommitAnswer,
  PolicyAnswer,
  PolicyList,
  RemovedPolicyAnswer,
  SimulationAnswer,
} from '../../schemas/management/policies.ts'
import { CreatePolicy, SimulatePolicies, UpdatePolicy } from '../../schemas/policy.ts'
import { json } from '../documentation-errors.ts'
import { accountAndGateway, componentOf, pathParameter } from '../documentation-headers.ts'
import { route } from '../documentation-operation.ts'
import { answer, body, GATEWAY, OF_CHANGE, OF_ONE, operation, query } from './documentation-parts.ts'
import { CommitQuery, ListPoliciesQuery } from './policies.ts'

/** Policies in the document (contract 5.3). */

const POLICIES = `${GATEWAY}/policies`

const written = {
  name: 'A budget for everybody',
  actor: '{cf.user.id}',
  resource: { provider: 'openai' },
  condition: 'true',
  action: { type: 'limit', amount: 20, period: 'monthly', technique: 'named-interval' },
}
const example = {
  id: '019a9f0c-6f5e-7c3a-9d51-0a6b1a3f2e77',
  ...written,
  enabled: true,
  created_at: 1_791_244_351,
  updated_at: 1_791_244_351,
}
const one = [...accountAndGateway, componentOf('Policy', pathParameter('id', 'The id of the policy.', example.id))]
const aPolicy = answer(PolicyAnswer, example)
const asDraft = 'Without `commit=true` it is a draft, which is in force once it is committed.'

export const policyOperations = {
  listPolicies: route(
    'GET',
    POLICIES,
    operation('listPolicies', 'List the policies', {
      description: 'Those of the file first. All of them, unless pages are asked for.',
      parameters: [...accountAndGateway, ...query(ListPoliciesQuery), ...query(Paging)],
      answer: answer(PolicyList, [example]),
      refusals: OF_ONE,
    }),
  ),
  createPolicy: route(
    'POST',
    POLICIES,
    operation('createPolicy', 'Make a policy', {
      description: asDraft,
      parameters: [...accountAndGateway, ...query(CommitQuery)],
      requestBody: body(CreatePolicy, written),
      answer: aPolicy,
      refusals: [...OF_ONE, 413],
    }),
  ),
  commitPolicies: route(
    'POST',
    `${POLICIES}/commit`,
    operation('commitPolicies', 'Put the drafts in force', {
      description: 'A draft with a fault stays a draft; `success` is then false, though the status is 200.',
      parameters: accountAndGateway,
      answer: json('What became of the drafts.', CommitAnswer, {
        success: true,
        errors: [],
        messages: [],
        result: { committed: 1, failed: 0, policies: [example] },
      }),
      refusals: OF_ONE,
    }),
  ),
  simulatePolicies: route(
    'POST',
    `${POLICIES}/simulate`,
    operation('simulatePolicies', 'Try the policies', {
      description: 'What they would make of a request, drafts included. Nothing is counted.',
      parameters: accountAndGateway,
      requestBody: body(SimulatePolicies, {
        identity: { cf: { user: { id: 'laptop' } } },
        model: 'openai/gpt-5.5',
        bucketUsage: { 'A budget for everybody': { spent: 19.5 } },
      }),
      answer: answer(SimulationAnswer, {
        evaluation: {
          decision: 'check_limits',
          buckets: [{ bucket: 'laptop', period: 'monthly', limit: 20, spent: 19.5, policyName: written.name }],
          policies: [{ id: example.id, name: written.name, outcome: 'applies', bucket: 'laptop' }],
        },
        enforcement: { allowed: true },
        policiesEvaluated: 1,
      }),
      refusals: [...OF_ONE, 413],
    }),
  ),
  getPolicy: route(
    'GET',
    `${POLICIES}/:id`,
    operation('getPolicy', 'Look at a policy', {
      parameters: [...one, ...query(ListPoliciesQuery)],
      answer: aPolicy,
      refusals: OF_ONE,
    }),
  ),
  updatePolicy: route(
    'PUT',
    `${POLICIES}/:id`,
    operation('updatePolicy', 'Change a policy', {
      description: `What is left out stays as it is. ${asDraft}`,
      parameters: [...one, ...query(CommitQuery)],
      requestBody: body(UpdatePolicy, { enabled: false }),
      answer: aPolicy,
      refusals: OF_CHANGE,
    }),
  ),
  deletePolicy: route(
    'DELETE',
    `${POLICIES}/:id`,
    operation('deletePolicy', 'Remove a policy', {
      description: 'With its draft.',
      parameters: one,
      answer: answer(RemovedPolicyAnswer, { id: example.id }),
      refusals: [...OF_ONE, 409],
    }),
  ),
}
