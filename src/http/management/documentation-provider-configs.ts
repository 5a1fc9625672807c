import { Paging } from '../../schemas/management/envelope.ts'
import {
  NewProviderConfig,
  ProviderConfigAnswer,
  ProviderConfigChange,
  ProviderConfigPage,
} from '../../schemas/management/provider-configs.ts'
import { accountAndGateway, pathParameter } from '../documentation-headers.ts'
import { route } from '../documentation-operation.ts'
import { answer, body, GATEWAY, OF_CHANGE, OF_ONE, operation, query } from './documentation-parts.ts'

/** The stored keys of providers in the document (contract 11.7). */

const keyExample = {
  id: '019a9f0c-6f5e-7c3a-9d51-0a6b1a3f2e77',
  gateway_id: 'default',
  provider_slug: 'openai',
  alias: 'research',
  default_config: false,
  secret_id: '019a9f0c-6f5e-7c3a-9d51-0a6b1a3f2e77',
  secret_preview: '…w2Xk',
  rate_limit: 60,
  rate_limit_period: 60,
  modified_at: '2026-11-20T09:00:00.000Z',
}
const newKey = {
  provider_slug: 'openai',
  alias: 'research',
  default_config: false,
  secret: 'the key itself',
  rate_limit: 60,
  rate_limit_period: 60,
}
const oneKey = [...accountAndGateway, pathParameter('id', 'The id of the object.', keyExample.id)]
const aKey = answer(ProviderConfigAnswer, keyExample)
const KEYS = `${GATEWAY}/provider_configs`

export const providerConfigOperations = {
  listProviderConfigs: route(
    'GET',
    KEYS,
    operation('listProviderConfigs', 'List the keys of providers', {
      description:
        'Every key that serves a gateway, without the key itself: its own, those for all gateways (`shared`), and those of the configuration (`declared`).',
      parameters: [...accountAndGateway, ...query(Paging)],
      answer: answer(ProviderConfigPage, [keyExample], {
        page: 1,
        per_page: 20,
        count: 1,
        total_count: 1,
        total_pages: 1,
      }),
      refusals: OF_ONE,
    }),
  ),
  createProviderConfig: route(
    'POST',
    KEYS,
    operation('createProviderConfig', 'Store a key of a provider', {
      description: 'For this gateway alone, encrypted. There is no secrets store: the key comes in `secret`.',
      parameters: accountAndGateway,
      requestBody: body(NewProviderConfig, newKey),
      answer: aKey,
      refusals: OF_CHANGE,
    }),
  ),
  getProviderConfig: route(
    'GET',
    `${KEYS}/:id`,
    operation('getProviderConfig', 'Look at a key of a provider', {
      parameters: oneKey,
      answer: aKey,
      refusals: OF_ONE,
    }),
  ),
  replaceProviderConfig: route(
    'PUT',
    `${KEYS}/:id`,
    operation('replaceProviderConfig', 'Put a key of a provider anew', {
      description:
        'Provider and alias stay as they are, and without `secret` so does the key; a limit that is left out ends.',
      parameters: oneKey,
      requestBody: body(NewProviderConfig, newKey),
      answer: aKey,
      refusals: OF_CHANGE,
    }),
  ),
  changeProviderConfig: route(
    'PATCH',
    `${KEYS}/:id`,
    operation('changeProviderConfig', 'Change a key of a provider', {
      description: 'What is left out stays as it is.',
      parameters: oneKey,
      requestBody: body(ProviderConfigChange, { default_config: true, rate_limit: null }),
      answer: aKey,
      refusals: OF_CHANGE,
    }),
  ),
  deleteProviderConfig: route(
    'DELETE',
    `${KEYS}/:id`,
    operation('deleteProviderConfig', 'Remove a key of a provider', {
      parameters: oneKey,
      answer: aKey,
      refusals: [...OF_ONE, 409],
    }),
  ),
}
