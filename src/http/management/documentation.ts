import { UrlAnswer } from '../../schemas/management/urls.ts'
import { accountAndGateway, pathParameter } from '../documentation-headers.ts'
import { route } from '../documentation-operation.ts'
import { analyticsOperations } from './documentation-analytics.ts'
import { billingOperations } from './documentation-billing.ts'
import { customProviderOperations } from './documentation-custom-providers.ts'
import { evaluationOperations } from './documentation-evaluations.ts'
import { explainOperations } from './documentation-explain.ts'
import { gatewayOperations } from './documentation-gateways.ts'
import { logOperations } from './documentation-logs.ts'
import { answer, GATEWAY, OF_ONE, operation } from './documentation-parts.ts'
import { policyOperations } from './documentation-policies.ts'
import { providerConfigOperations } from './documentation-provider-configs.ts'
import { routeOperations } from './documentation-routes.ts'
import { tokenOperations } from './documentation-tokens.ts'

/** The management API of the document (contract 11). */

const urlOperations = {
  getGatewayUrl: route(
    'GET',
    `${GATEWAY}/url/:slug`,
    operation('getGatewayUrl', 'The address of a gateway', {
      parameters: [
        ...accountAndGateway,
        pathParameter(
          'slug',
          'A provider; `compat` for the address of OpenAI’s form, `universal` for that of steps.',
          'openai',
        ),
      ],
      answer: answer(UrlAnswer, 'http://127.0.0.1:8787/v1/home/default/openai'),
      refusals: OF_ONE,
    }),
  ),
}

export const managementOperations = {
  ...gatewayOperations,
  ...customProviderOperations,
  ...routeOperations,
  ...policyOperations,
  ...providerConfigOperations,
  ...tokenOperations,
  ...urlOperations,
  ...billingOperations,
  ...logOperations,
  ...evaluationOperations,
  ...analyticsOperations,
  ...explainOperations,
}

export type ManagementOperation = keyof typeof managementOperations
