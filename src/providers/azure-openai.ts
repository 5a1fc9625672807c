import { EXTENSIONS, plainCalls, plainMessages } from '../dialects/openai-chat/request-quirks.ts'
import { azure } from './auth/auth.ts'
import { azureOpenaiNative } from './native/azure-openai.ts'
import { provider } from './provider.ts'

/** The last dated version that is no preview; needed by the deployment address only. */
const API_VERSION = '2024-10-21'

/**
 * Two addresses: `…/openai/deployments/{deployment}` with a dated `api-version`, and `…/openai/v1`, where the deployment
 * is the body's model. The base says which one it is.
 * @see https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle
 */
export const azureOpenai = provider({
  slug: 'azure-openai',
  title: 'Azure OpenAI',
  aliases: ['azure'],
  base: 'https://{resource}.openai.azure.com/openai/deployments/{deployment}',
  endpoint({ base, api_version }) {
    const dated = !/\/openai\/v1\/?$/.test(base)
    const version = api_version ?? (dated ? API_VERSION : undefined)
    return { dialect: 'openai-chat', path: `chat/completions${version ? `?api-version=${version}` : ''}` }
  },
  auth: azure,
  keyIn: ['api-key', 'authorization'],
  native: azureOpenaiNative,
  variable: 'AZURE_OPENAI_API_KEY',
  quirks: [plainMessages(...EXTENSIONS), plainCalls],
  priced: 'azure',
})
