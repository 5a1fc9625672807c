import {
  CustomProviderAnswer,
  CustomProviderChange,
  CustomProviderPage,
  CustomProvidersQuery,
  NewCustomProvider,
} from '../../schemas/management/custom-providers.ts'
import { account, componentOf, pathParameter } from '../documentation-headers.ts'
import { route } from '../documentation-operation.ts'
import { ALWAYS, answer, BASE, body, OF_CHANGE, OF_ONE, operation, query } from './documentation-parts.ts'

/** Custom providers in the document (contract 11.9). */

const PROVIDERS = `${BASE}/custom-providers`

const said = { name: 'The workstation', slug: 'workstation', base_url: 'http://192.168.1.20:11434', enable: true }
const example = {
  id: '019a9f0c-6f5e-7c3a-9d51-0a6b1a3f2e77',
  ...said,
  headers: '{"x-team":"research"}',
  created_at: '2026-11-20T09:00:00.000Z',
  modified_at: '2026-11-20T09:00:00.000Z',
}
const aProvider = answer(CustomProviderAnswer, example)
const one = [account, componentOf('CustomProvider', pathParameter('id', 'The id of the custom provider.', example.id))]

export const customProviderOperations = {
  listCustomProviders: route(
    'GET',
    PROVIDERS,
    operation('listCustomProviders', 'List the custom providers', {
      description: 'Those of the configuration (`declared`) and those of the store.',
      parameters: [account, ...query(CustomProvidersQuery, 'CustomProviders')],
      answer: answer(CustomProviderPage, [example], {
        page: 1,
        per_page: 20,
        count: 1,
        total_count: 1,
        total_pages: 1,
      }),
      refusals: ALWAYS,
    }),
  ),
  createCustomProvider: route(
    'POST',
    PROVIDERS,
    operation('createCustomProvider', 'Make a custom provider', {
      description: 'It serves once `enable` is true.',
      parameters: [account],
      requestBody: body(NewCustomProvider, { ...said, headers: example.headers }),
      answer: aProvider,
      refusals: [...ALWAYS, 409, 413],
    }),
  ),
  getCustomProvider: route(
    'GET',
    `${PROVIDERS}/:id`,
    operation('getCustomProvider', 'Look at a custom provider', {
      parameters: one,
      answer: aProvider,
      refusals: OF_ONE,
    }),
  ),
  changeCustomProvider: route(
    'PATCH',
    `${PROVIDERS}/:id`,
    operation('changeCustomProvider', 'Change a custom provider', {
      description: 'What is left out stays as it is. Answers that were kept before are not given again.',
      parameters: one,
      requestBody: body(CustomProviderChange, { enable: false, description: null }),
      answer: aProvider,
      refusals: OF_CHANGE,
    }),
  ),
  deleteCustomProvider: route(
    'DELETE',
    `${PROVIDERS}/:id`,
    operation('deleteCustomProvider', 'Remove a custom provider', {
      description: 'With the keys that are stored for it.',
      parameters: one,
      answer: aProvider,
      refusals: [...OF_ONE, 409],
    }),
  ),
}
