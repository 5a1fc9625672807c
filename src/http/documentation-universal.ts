import { universalExamples } from '../schemas/examples.ts'
import { UniversalRequest } from '../schemas/universal.ts'
import { accountAndGateway, callHeaders, replyHeaders, stepHeader } from './documentation-headers.ts'
import { nativeErrors, providerAnswer } from './documentation-native.ts'
import { route } from './documentation-operation.ts'

/** The universal endpoint of the document (contract 6.2). */

const DESCRIPTION = [
  'Tries one step after another until one succeeds, and gives the answer of that provider as it came. `cf-aig-step` tells which step it was.',
  'Each step names a provider, a path behind its name, headers and a body in the provider’s own format; `provider: "compat"` takes OpenAI’s format and a model named `<provider>/<model>`. Headers `cf-aig-*` of the request hold for every step that does not set them anew.',
  'When no step succeeds, the last refusal of a provider goes out the same way, with its own status; when no provider answered at all, error 2005.',
].join('\n\n')

export const universalOperation = route('POST', '/v1/:account/:gateway', {
  operationId: 'runSteps',
  summary: 'Ask one provider after another',
  description: DESCRIPTION,
  tags: ['Universal'],
  parameters: [...accountAndGateway, ...callHeaders],
  requestBody: {
    required: true,
    description: 'A list of steps, or one alone.',
    content: { 'application/json': { schema: UniversalRequest, examples: universalExamples } },
  },
  responses: {
    '200': providerAnswer('The answer of the first step that succeeded.', { ...replyHeaders, ...stepHeader }),
    ...nativeErrors,
  },
})
