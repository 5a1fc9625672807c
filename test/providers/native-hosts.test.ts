import { describe, expect, test } from 'bun:test'
import { AzureOpenAI } from 'openai'
import { NativeFault } from '../../src/providers/native/address.ts'
import { placed } from './native-place.ts'

/** Providers whose host depends on the path. */

describe('Azure OpenAI', () => {
  const root = 'https://herons.openai.azure.com/openai'
  const chat = `${root}/deployments/gpt-5-mini/chat/completions`

  test.each([
    ['herons/gpt-5-mini/chat/completions', chat],
    ['herons/deployments/gpt-5-mini/chat/completions', chat],
    ['herons/openai/deployments/gpt-5-mini/chat/completions', chat],
    ['herons/gpt-5-mini/deployments/gpt-5-mini/chat/completions', chat],
    ['herons/our%20own/images/generations', `${root}/deployments/our%20own/images/generations`],
    ['herons/openai/v1/chat/completions', `${root}/v1/chat/completions`],
    ['herons/v1/responses', `${root}/v1/responses`],
    ['herons/openai/responses', `${root}/responses`],
    ['herons/responses', `${root}/responses`],
    ['herons/responses/resp_1', `${root}/responses/resp_1`],
    ['herons/models', `${root}/models`],
    ['herons/files/file-1/content', `${root}/files/file-1/content`],
  ])('%s', (path, url) => {
    expect(placed('azure-openai', path).url).toBe(url)
  })

  test('the deployment is the model', () => {
    expect(placed('azure-openai', 'herons/our%20own/chat/completions')).toMatchObject({
      model: 'our own',
      watch: 'openai-chat',
    })
    expect(placed('azure-openai', 'herons/openai/v1/responses').model).toBeUndefined()
  })

  test('the resource and the deployment may come from the settings', () => {
    const settings = { resource: 'herons' }
    const at = (path: string, more = {}) => placed('azure-openai', path, { settings: { ...settings, ...more } }).url
    expect(at('deployments/gpt-5-mini/chat/completions')).toBe(chat)
    expect(at('openai/v1/chat/completions')).toBe(`${root}/v1/chat/completions`)
    expect(at('chat/completions', { deployment: 'gpt-5-mini' })).toBe(chat)
    expect(at('herons/chat/completions', { deployment: 'our own' })).toBe(
      `${root}/deployments/our%20own/chat/completions`,
    )
    // What the path says comes first.
    expect(at('egrets/gpt-5-mini/chat/completions')).toStartWith('https://egrets.openai.azure.com/')
  })

  const here = 'http://127.0.0.1:4999'
  test.each([
    ['', '/openai/deployments/gpt-5-mini/chat/completions'],
    ['/openai', '/openai/deployments/gpt-5-mini/chat/completions'],
    ['/openai/v1', '/openai/deployments/gpt-5-mini/chat/completions'],
    ['/openai/deployments/{deployment}', '/openai/deployments/gpt-5-mini/chat/completions'],
    ['/openai/deployments/another', '/openai/deployments/gpt-5-mini/chat/completions'],
    ['/{resource}/openai/deployments/{deployment}', '/herons/openai/deployments/gpt-5-mini/chat/completions'],
    ['/gateway/{resource}/{deployment}', '/gateway/herons/gpt-5-mini/chat/completions'],
  ])('below a configured base ending in "%s"', (ending, path) => {
    const settings = { base_url: here + ending }
    expect(placed('azure-openai', 'herons/gpt-5-mini/chat/completions', { settings }).url).toBe(here + path)
    const prefix = ending.includes('{resource}') ? `${path.split('/herons')[0]}/herons` : ''
    expect(placed('azure-openai', 'herons/v1/responses', { settings }).url).toBe(`${here}${prefix}/openai/v1/responses`)
  })

  test.each([
    ['a.example%23/gpt-5-mini/chat/completions', 'name of an Azure resource'],
    ['a.example/gpt-5-mini/chat/completions', 'name of an Azure resource'],
    ['herons@a/gpt-5-mini/chat/completions', 'name of an Azure resource'],
    ['', 'name of an Azure resource'],
    ['herons', 'deployment'],
    ['herons/', 'deployment'],
    ['herons/gpt-5-mini', 'operation'],
    ['herons/gpt-5-mini/', 'operation'],
    ['herons/chat/completions', 'deployment'],
    ['herons/deployments', 'deployment'],
    ['herons/openai/deployments/gpt-5-mini', 'operation'],
  ])('"%s" leads nowhere: the fault says what is expected', (path, word) => {
    const asked = () => placed('azure-openai', path)
    expect(asked).toThrow(NativeFault)
    expect(asked).toThrow(word)
    expect(asked).toThrow('azure-openai/{resource}/{deployment}/chat/completions?api-version=…')
  })

  /** What the real client asks for, when its base is the gateway's. */
  async function asked(baseURL: string, call: (client: AzureOpenAI) => Promise<unknown>, deployment?: string) {
    let url = ''
    const fetch = async (given: string | URL | Request) => {
      url = String(given instanceof Request ? given.url : given)
      return Response.json({ data: [] })
    }
    const client = new AzureOpenAI({ apiKey: 'k', apiVersion: '2024-10-21', baseURL, deployment, fetch })
    await call(client)
    const behind = /\/azure-openai\/([^?]*)(\?.*)?$/.exec(url)
    expect(behind?.[2]).toBe('?api-version=2024-10-21')
    return placed('azure-openai', behind![1]!).url
  }
  const messages = [{ role: 'user' as const, content: 'Where do herons sleep?' }]

  test.each(['', '/', '/openai', '/openai/', '/gpt-5-mini', '/openai/deployments/gpt-5-mini'])(
    'the AzureOpenAI client at …/azure-openai/herons%s',
    async ending => {
      const base = `http://gateway.example/v1/home/default/azure-openai/herons${ending}`
      expect(await asked(base, client => client.chat.completions.create({ model: 'gpt-5-mini', messages }))).toBe(chat)
      if (ending.includes('gpt')) return
      const embeddings = await asked(
        base,
        client => client.embeddings.create({ model: 'gpt-5-mini', input: 'x' }),
        'small one',
      )
      expect(embeddings).toBe(`${root}/deployments/small%20one/embeddings`)
      expect(await asked(base, client => client.responses.create({ model: 'm', input: 'x' }))).toBe(`${root}/responses`)
      expect(await asked(base, client => client.models.list())).toBe(`${root}/models`)
      expect(await asked(base, client => client.files.list())).toBe(`${root}/files`)
    },
  )
})

describe('Vertex AI', () => {
  const at = (location: string) =>
    `v1/projects/p/locations/${location}/publishers/google/models/gemini-2.5-flash:generateContent`

  test.each([
    ['europe-west4', 'https://europe-west4-aiplatform.googleapis.com'],
    ['global', 'https://aiplatform.googleapis.com'],
    ['us', 'https://aiplatform.us.rep.googleapis.com'],
    ['eu', 'https://aiplatform.eu.rep.googleapis.com'],
  ])('location %s → %s', (location, host) => {
    // What is configured gives way to what the path says (trap 56).
    for (const settings of [{}, { region: 'asia-east1' }])
      expect(placed('google-vertex-ai', at(location), { settings }).url).toBe(`${host}/${at(location)}`)
    expect(placed('google-vertex-ai', at(location).slice(3)).url).toBe(`${host}/${at(location)}`)
  })

  test('the version of the path stays, and the model keeps its @', () => {
    const path =
      'v1beta1/projects/p/locations/us-east5/publishers/anthropic/models/claude-sonnet-4@20250514:streamRawPredict'
    expect(placed('google-vertex-ai', path)).toMatchObject({
      url: `https://us-east5-aiplatform.googleapis.com/${path}`,
      watch: 'anthropic-messages',
      model: 'claude-sonnet-4@20250514',
    })
  })

  test('without a project: express mode, on the global host', () => {
    const path = 'v1/publishers/google/models/gemini-2.5-flash:generateContent'
    const url = `https://aiplatform.googleapis.com/${path}`
    const settings = { project: 'p', region: 'europe-west4' }
    expect(placed('google-vertex-ai', path).url).toBe(url)
    expect(placed('google-vertex-ai', path, { settings, credential: 'AIzaExpress' }).url).toBe(url)
    expect(placed('google-vertex-ai', path, { settings, headers: { 'x-goog-api-key': 'AIzaExpress' } }).url).toBe(url)
    expect(placed('google-vertex-ai', path.slice(3)).url).toBe(url)
  })

  test('without a project, where an account goes along: its project and location are put in', () => {
    const account = { client_email: 'a@herons.example', private_key: 'pem', project_id: 'herons', region: 'eu' }
    const path = 'v1beta1/publishers/google/models/gemini-2.5-flash:generateContent'
    const placedAs = (credential: string, settings = {}) =>
      placed('google-vertex-ai', path, { credential, settings }).url
    expect(placedAs(JSON.stringify(account))).toBe(
      'https://aiplatform.eu.rep.googleapis.com/v1beta1/projects/herons/locations/eu/publishers/google/models/gemini-2.5-flash:generateContent',
    )
    expect(placedAs('ya29.token', { project: 'p' })).toBe(
      'https://aiplatform.googleapis.com/v1beta1/projects/p/locations/global/publishers/google/models/gemini-2.5-flash:generateContent',
    )
  })

  test('below a configured base', () => {
    const base_url = 'http://127.0.0.1:4999'
    expect(placed('google-vertex-ai', at('us'), { settings: { base_url } }).url).toBe(`${base_url}/${at('us')}`)
    expect(placed('google-vertex-ai', at('us'), { settings: { base_url: `${base_url}/v1` } }).url).toBe(
      `${base_url}/${at('us')}`,
    )
    const settings = { base_url: `${base_url}/{region-}aip` }
    expect(placed('google-vertex-ai', at('us-east5'), { settings }).url).toBe(
      `${base_url}/us-east5-aip/${at('us-east5')}`,
    )
    expect(placed('google-vertex-ai', at('global'), { settings }).url).toBe(`${base_url}/aip/${at('global')}`)
  })

  test.each([at('a.example%2F'), at('A'), at('a.example:1')])('%s is no location', path => {
    expect(() => placed('google-vertex-ai', path)).toThrow(NativeFault)
  })

  test('a region in a credential cannot lead to another host', () => {
    const credential = JSON.stringify({ client_email: 'a', private_key: 'b', project_id: 'p', region: 'a.example/' })
    const path = 'v1/publishers/google/models/m:generateContent'
    expect(() => placed('google-vertex-ai', path, { credential })).toThrow('location')
  })
})

describe('Bedrock', () => {
  const id = 'eu.anthropic.claude-sonnet-4-5-20250929-v1%3A0'

  test.each([
    [
      `bedrock-runtime/eu-central-1/model/${id}/converse`,
      `https://bedrock-runtime.eu-central-1.amazonaws.com/model/${id}/converse`,
      'eu-central-1',
    ],
    [
      `bedrock-runtime/us-gov-west-1/model/${id}/invoke`,
      `https://bedrock-runtime.us-gov-west-1.amazonaws.com/model/${id}/invoke`,
      'us-gov-west-1',
    ],
    [
      'bedrock-runtime/us-west-2/openai/v1/chat/completions',
      'https://bedrock-runtime.us-west-2.amazonaws.com/openai/v1/chat/completions',
      'us-west-2',
    ],
    [
      'bedrock-mantle/eu-west-1/anthropic/v1/messages',
      'https://bedrock-mantle.eu-west-1.api.aws/anthropic/v1/messages',
      'eu-west-1',
    ],
    ['bedrock-mantle/eu-west-1/v1/responses', 'https://bedrock-mantle.eu-west-1.api.aws/v1/responses', 'eu-west-1'],
    [
      `model/${id}/converse-stream`,
      `https://bedrock-runtime.us-east-1.amazonaws.com/model/${id}/converse-stream`,
      'us-east-1',
    ],
    ['anthropic/v1/messages', 'https://bedrock-mantle.us-east-1.api.aws/anthropic/v1/messages', 'us-east-1'],
    ['v1/models', 'https://bedrock-mantle.us-east-1.api.aws/v1/models', 'us-east-1'],
  ])('%s', (path, url, region) => {
    expect(placed('aws-bedrock', path)).toMatchObject({ url, region })
  })

  test('T60 an ARN keeps its escapes, however they were written', () => {
    for (const model of ['arn%3aaws%3Abedrock%3Aeu-west-1%3A1%3Ainference-profile%2Feu.amazon.nova-pro-v1%3A0', 'a:b'])
      expect(placed('aws-bedrock', `bedrock-runtime/eu-west-1/model/${model}/converse`)).toMatchObject({
        url: `https://bedrock-runtime.eu-west-1.amazonaws.com/model/${model}/converse`,
        model: decodeURIComponent(model),
      })
  })

  test('the configured region, and that of the key, serve paths that name none', () => {
    const key = JSON.stringify({ accessKeyId: 'a', secretAccessKey: 's', region: 'ap-northeast-1' })
    const host = (given: object, path = 'model/m/converse') => placed('aws-bedrock', path, given).region
    expect(host({ credential: key })).toBe('ap-northeast-1')
    expect(host({ credential: key, settings: { region: 'eu-west-3' } })).toBe('eu-west-3')
    expect(host({ credential: key }, 'bedrock-runtime/us-east-2/model/m/converse')).toBe('us-east-2')
  })

  test('a configured base stands for both services', () => {
    const base_url = 'http://127.0.0.1:4999'
    const at = (path: string, base = base_url) => placed('aws-bedrock', path, { settings: { base_url: base } })
    expect(at(`bedrock-runtime/eu-west-1/model/${id}/converse`)).toMatchObject({
      url: `${base_url}/model/${id}/converse`,
      region: 'eu-west-1',
    })
    expect(at('bedrock-mantle/eu-west-1/anthropic/v1/messages').url).toBe(`${base_url}/anthropic/v1/messages`)
    expect(at('bedrock-runtime/eu-west-1/model/m/invoke', `${base_url}/{region}`).url).toBe(
      `${base_url}/eu-west-1/model/m/invoke`,
    )
  })

  test.each([
    ['bedrock-runtime/model/m/converse', 'region'],
    ['bedrock-runtime/a.example%23/model/m/converse', 'region'],
    ['bedrock-runtime/us-east-1.a.example/model/m/converse', 'region'],
    ['bedrock-mantle', 'region'],
    ['s3/us-east-1/bucket', 'service'],
    ['bedrock/us-east-1/foundation-models', 'service'],
    ['', 'service'],
  ])('"%s" leads nowhere', (path, word) => {
    const asked = () => placed('aws-bedrock', path)
    expect(asked).toThrow(NativeFault)
    expect(asked).toThrow(word)
    expect(asked).toThrow('bedrock-runtime/{region}/model/{model}/converse')
  })
})

describe('Workers AI', () => {
  const settings = { account: 'an-account' }
  const ai = 'https://api.cloudflare.com/client/v4/accounts/an-account/ai'
  test.each([
    ['@cf/meta/llama-3.1-8b-instruct', `${ai}/run/@cf/meta/llama-3.1-8b-instruct`, 'workers-ai'],
    ['run/@cf/meta/llama-3.1-8b-instruct', `${ai}/run/@cf/meta/llama-3.1-8b-instruct`, 'workers-ai'],
    ['%40cf/meta/llama-3.1-8b-instruct', `${ai}/run/%40cf/meta/llama-3.1-8b-instruct`, 'workers-ai'],
    ['v1/chat/completions', `${ai}/v1/chat/completions`, 'openai-chat'],
    ['ai/v1/chat/completions', `${ai}/v1/chat/completions`, 'openai-chat'],
    ['v1/embeddings', `${ai}/v1/embeddings`, 'openai-embeddings'],
  ] as const)('%s', (path, url, watch) => {
    const address = placed('workers-ai', path, { settings })
    expect(address).toMatchObject({ url, watch })
    expect(address.model).toBe(watch === 'workers-ai' ? '@cf/meta/llama-3.1-8b-instruct' : undefined)
  })

  test('a model may be left to the body', () => {
    expect(placed('workers-ai', 'run/', { settings }).url).toBe(`${ai}/run`)
  })

  test('below a configured base', () => {
    const at = (base_url: string, path: string) =>
      placed('workers-ai', path, { settings: { ...settings, base_url } }).url
    const here = 'http://127.0.0.1:4999'
    expect(at(here, 'run/@cf/a/b')).toBe(`${here}/@cf/a/b`)
    expect(at(here, 'v1/chat/completions')).toBe(`${here}/v1/chat/completions`)
    expect(at(`${here}/accounts/{account}/ai/run`, 'v1/embeddings')).toBe(
      `${here}/accounts/an-account/ai/v1/embeddings`,
    )
  })

  test('without an account the fault names the setting', () => {
    expect(() => placed('workers-ai', '@cf/a/b')).toThrow('set providers.workers-ai.account in postern.yaml')
  })
})

describe('Baseten', () => {
  test.each(['model', 'model/', 'model/a.example%23', 'model/a.b'])('%s names no model', path => {
    expect(() => placed('baseten', path)).toThrow('baseten/model/{id}')
  })
})

describe('fal: x-fal-target-url replaces the target', () => {
  const target = (value: string, settings = {}) =>
    placed('fal', 'whatever', { settings, headers: { 'x-fal-target-url': value } })

  test.each([
    ['https://fal.run/fal-ai/flux/dev', 'https://fal.run/fal-ai/flux/dev', ''],
    ['https://queue.fal.run/fal-ai/flux?fal_webhook=x', 'https://queue.fal.run/fal-ai/flux', 'fal_webhook=x'],
    ['https://rest.alpha.fal.ai/storage/upload/initiate', 'https://rest.alpha.fal.ai/storage/upload/initiate', ''],
    ['https://fal.media/files/a%2Fb', 'https://fal.media/files/a%2Fb', ''],
    ['HTTPS://Queue.Fal.Run/a', 'https://queue.fal.run/a', ''],
    ['https://fal.run', 'https://fal.run', ''],
  ])('%s', (value, url, query) => {
    expect(target(value)).toMatchObject({ url, query })
  })

  test('the app is the model', () => {
    expect(target('https://queue.fal.run/fal-ai/flux/dev/requests/r-1/status').model).toBe('fal-ai/flux/dev')
    expect(placed('fal', 'fal-ai/flux/dev').model).toBe('fal-ai/flux/dev')
  })

  test('a configured base stands for all of its hosts', () => {
    const base_url = 'http://127.0.0.1:4999'
    expect(target('https://queue.fal.run/fal-ai/flux?a=b', { base_url })).toMatchObject({
      url: `${base_url}/fal-ai/flux`,
      query: 'a=b',
    })
  })

  test.each([
    'https://a.example/fal.run',
    'https://evilfal.run/x',
    'https://fal.run.a.example/x',
    'https://fal.run@a.example/x',
    'https://user:word@fal.run/x',
    'https://fal.run:8443/x',
    'https://a.example#fal.run',
    'https://a.example\\@fal.run/x',
    'https://fal.run\\@a.example/x',
    'http://fal.run/x',
    '//fal.run/x',
    'fal.run/x',
    'https://169.254.169.254/latest/meta-data',
    'https://fal.run/a/../b',
    'https://fal.run/a b',
    'file:///etc/passwd',
  ])('%s is refused', value => {
    expect(() => target(value)).toThrow(NativeFault)
  })
})
