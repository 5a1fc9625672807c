import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { wholeAnswer } from '../support/answers.ts'
import { startApp } from '../support/app.ts'
import { answerOf, ask, post } from '../support/chat.ts'
import { type StandIn, standIn } from '../support/stand-in.ts'

let azure: StandIn
beforeAll(() => {
  azure = standIn(() => wholeAnswer('openai-chat', 'In the reeds.'))
})
afterAll(() => azure.stop())

const DEPLOYMENTS = '/{resource}/openai/deployments/{deployment}'

async function asked(settings: object, model = 'gpt-5-mini') {
  const app = await startApp({ providers: { 'azure-openai': { keys: { default: 'a-key' }, ...settings } } })
  const response = await post(app.address, ask(`azure/${model}`))
  await app.stop()
  return response
}

describe('Azure OpenAI', () => {
  test('the model is the deployment, and the version is a dated one', async () => {
    expect((await asked({ base_url: azure.address + DEPLOYMENTS, resource: 'herons' })).status).toBe(200)
    expect(azure.last().path).toBe('/herons/openai/deployments/gpt-5-mini/chat/completions?api-version=2024-10-21')
    expect(azure.last().headers.get('api-key')).toBe('a-key')
  })

  test('a deployment of the settings stands for every model', async () => {
    const settings = { base_url: azure.address + DEPLOYMENTS, resource: 'herons', deployment: 'our own/one' }
    await asked({ ...settings, api_version: '2025-01-01-preview' })
    expect(azure.last().path).toBe(
      '/herons/openai/deployments/our%20own%2Fone/chat/completions?api-version=2025-01-01-preview',
    )
  })

  test('the v1 address has no dated version, and the model in the body', async () => {
    await asked({ base_url: `${azure.address}/openai/v1/` })
    expect(azure.last().path).toBe('/openai/v1/chat/completions')
    expect(azure.last().body.model).toBe('gpt-5-mini')
    await asked({ base_url: `${azure.address}/openai/v1`, api_version: 'preview' })
    expect(azure.last().path).toBe('/openai/v1/chat/completions?api-version=preview')
  })

  test('an Entra token goes as bearer, a key as api-key', async () => {
    const jwt = `eyJ${'a'.repeat(40)}.eyJ${'b'.repeat(60)}.${'c-_'.repeat(20)}`
    await asked({ base_url: `${azure.address}/openai/v1`, keys: { default: jwt } })
    expect(azure.last().headers.get('authorization')).toBe(`Bearer ${jwt}`)
    expect(azure.last().headers.get('api-key')).toBeNull()
  })

  test('without a resource the answer says which setting is missing', async () => {
    const response = await asked({})
    expect(response.status).toBe(400)
    expect((await answerOf(response)).error?.message).toContain('set providers.azure-openai.resource in postern.yaml')
  })
})
