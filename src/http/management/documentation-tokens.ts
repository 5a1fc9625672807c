import {
  MadeTokenAnswer,
  NewToken,
  PermissionGroupsAnswer,
  PermissionGroupsQuery,
  RemovedTokenAnswer,
  TokenAnswer,
  TokenPage,
  TokenReplacement,
  TokensQuery,
  TokenValueAnswer,
  VerifiedTokenAnswer,
} from '../../schemas/management/tokens.ts'
import { account, componentOf, pathParameter } from '../documentation-headers.ts'
import { route } from '../documentation-operation.ts'
import { ALWAYS, answer, body, OF_CHANGE, OF_ONE, operation, query, TOKENS } from './documentation-parts.ts'
import { permissionGroups, policiesOf } from './token-policies.ts'

/** Tokens in the document. */

const id = '019a9f0c6f5e7c3a9d510a6b1a3f2e77'
const grant = { permissions: ['run' as const], gateways: ['default'] }
const said = { name: 'phone', ...grant, rate_limit: 60, budget: 5, budget_period: 'monthly' }
const example = {
  id,
  status: 'active',
  issued_on: '2026-11-20T09:00:00.000Z',
  modified_on: '2026-11-20T09:00:00.000Z',
  policies: policiesOf(grant, id, 'home'),
  ...said,
}
const aToken = answer(TokenAnswer, example)
const one = [account, componentOf('Token', pathParameter('id', 'The id of the token.', id))]
const verified = answer(VerifiedTokenAnswer, { id, status: 'active' })

export const tokenOperations = {
  listTokens: route(
    'GET',
    TOKENS,
    operation('listTokens', 'List the tokens', {
      description: 'Those of the configuration (`declared`) and those of the store, without their values.',
      parameters: [account, ...query(TokensQuery)],
      answer: answer(TokenPage, [example], { page: 1, per_page: 20, count: 1, total_count: 1, total_pages: 1 }),
      refusals: ALWAYS,
    }),
  ),
  createToken: route(
    'POST',
    TOKENS,
    operation('createToken', 'Make a token', {
      description: 'Its value is shown this once. A token gives no permission that it lacks.',
      parameters: [account],
      requestBody: body(NewToken, said),
      answer: answer(MadeTokenAnswer, { ...example, value: 'pst_…' }),
      refusals: [...ALWAYS, 409, 413],
    }),
  ),
  verifyToken: route(
    'GET',
    `${TOKENS}/verify`,
    operation('verifyToken', 'Try a token', {
      description: 'Whatever it may do.',
      parameters: [account],
      answer: verified,
      refusals: [401, 404, 500],
    }),
  ),
  verifyUserToken: route(
    'GET',
    '/client/v4/user/tokens/verify',
    operation('verifyUserToken', 'Try a token, without an account', {
      parameters: [],
      answer: verified,
      refusals: [401, 404, 500],
    }),
  ),
  listPermissionGroups: route(
    'GET',
    `${TOKENS}/permission_groups`,
    operation('listPermissionGroups', 'List the permissions', {
      description: 'The permissions run, read and edit in Cloudflare’s words.',
      parameters: [account, ...query(PermissionGroupsQuery)],
      answer: answer(PermissionGroupsAnswer, permissionGroups),
      refusals: ALWAYS,
    }),
  ),
  getToken: route(
    'GET',
    `${TOKENS}/:id`,
    operation('getToken', 'Look at a token', { parameters: one, answer: aToken, refusals: OF_ONE }),
  ),
  replaceToken: route(
    'PUT',
    `${TOKENS}/:id`,
    operation('replaceToken', 'Put a token anew', {
      description: 'What is left out ends; the name and the value stay.',
      parameters: one,
      requestBody: body(TokenReplacement, { ...said, status: 'disabled' }),
      answer: aToken,
      refusals: OF_CHANGE,
    }),
  ),
  deleteToken: route(
    'DELETE',
    `${TOKENS}/:id`,
    operation('deleteToken', 'Remove a token', {
      description: 'It opens nothing any more: at once, in other processes within two seconds.',
      parameters: one,
      answer: answer(RemovedTokenAnswer, { id }),
      refusals: [...OF_ONE, 409],
    }),
  ),
  rollToken: route(
    'PUT',
    `${TOKENS}/:id/value`,
    operation('rollToken', 'Give a token another value', {
      description: 'The old one opens nothing any more. The new one is shown this once.',
      parameters: one,
      answer: answer(TokenValueAnswer, 'pst_…'),
      refusals: [...OF_ONE, 409],
    }),
  ),
}
