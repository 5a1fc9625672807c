import { describe, expect, test } from 'bun:test'
import { builtIn } from '../../src/providers/index.ts'
import { NativeFault } from '../../src/providers/native/address.ts'
import { repeatsOf, tolerantPath } from '../../src/providers/native/tolerant-path.ts'
import { placed } from './native-place.ts'

/** Contract 1.5 and 1.6: every form that documents and clients write, and the one address that it reaches. */
const forms: [slug: string, paths: string[], url: string][] = [
  [
    'openai',
    ['chat/completions', 'v1/chat/completions', '/v1/chat/completions', '//chat/completions'],
    'https://api.openai.com/v1/chat/completions',
  ],
  ['openai', ['responses', 'v1/responses'], 'https://api.openai.com/v1/responses'],
  ['openai', ['embeddings', 'v1/embeddings'], 'https://api.openai.com/v1/embeddings'],
  ['openai', ['files/file-1/content', 'v1/files/file-1/content'], 'https://api.openai.com/v1/files/file-1/content'],
  ['openai', ['', 'v1'], 'https://api.openai.com/v1'],
  ['anthropic', ['v1/messages', 'messages'], 'https://api.anthropic.com/v1/messages'],
  ['anthropic', ['v1/messages/count_tokens'], 'https://api.anthropic.com/v1/messages/count_tokens'],
  ['anthropic', ['api/hello'], 'https://api.anthropic.com/api/hello'],
  [
    'google-ai-studio',
    ['v1beta/models/gemini-2.5-flash:generateContent', 'models/gemini-2.5-flash:generateContent'],
    'https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent',
  ],
  [
    'google-ai-studio',
    ['v1/models/gemini-2.5-flash:streamGenerateContent'],
    'https://generativelanguage.googleapis.com/v1/models/gemini-2.5-flash:streamGenerateContent',
  ],
  ['google-ai-studio', ['upload/v1beta/files'], 'https://generativelanguage.googleapis.com/upload/v1beta/files'],
  ['grok', ['v1/chat/completions', 'chat/completions'], 'https://api.x.ai/v1/chat/completions'],
  ['grok', ['v1/messages', 'messages'], 'https://api.x.ai/v1/messages'],
  [
    'groq',
    ['chat/completions', 'v1/chat/completions', 'openai/v1/chat/completions'],
    'https://api.groq.com/openai/v1/chat/completions',
  ],
  ['mistral', ['v1/chat/completions', 'chat/completions'], 'https://api.mistral.ai/v1/chat/completions'],
  ['cerebras', ['v1/chat/completions', 'chat/completions'], 'https://api.cerebras.ai/v1/chat/completions'],
  ['deepseek', ['chat/completions', 'v1/chat/completions'], 'https://api.deepseek.com/chat/completions'],
  ['deepseek', ['anthropic/v1/messages'], 'https://api.deepseek.com/anthropic/v1/messages'],
  ['deepseek', ['beta/completions'], 'https://api.deepseek.com/beta/completions'],
  ['perplexity-ai', ['chat/completions', 'v1/chat/completions'], 'https://api.perplexity.ai/chat/completions'],
  ['perplexity-ai', ['v1/responses'], 'https://api.perplexity.ai/v1/responses'],
  ['cohere', ['v1/chat', 'chat'], 'https://api.cohere.com/v1/chat'],
  ['cohere', ['v2/chat'], 'https://api.cohere.com/v2/chat'],
  ['cohere', ['compatibility/v1/chat/completions'], 'https://api.cohere.com/compatibility/v1/chat/completions'],
  [
    'openrouter',
    ['chat/completions', 'v1/chat/completions', 'api/v1/chat/completions', 'api/chat/completions'],
    'https://openrouter.ai/api/v1/chat/completions',
  ],
  ['openrouter', ['alpha/responses', 'api/alpha/responses'], 'https://openrouter.ai/api/alpha/responses'],
  [
    'fireworks',
    ['chat/completions', 'v1/chat/completions', 'inference/v1/chat/completions'],
    'https://api.fireworks.ai/inference/v1/chat/completions',
  ],
  ['together', ['chat/completions', 'v1/chat/completions'], 'https://api.together.xyz/v1/chat/completions'],
  ['replicate', ['predictions', 'v1/predictions'], 'https://api.replicate.com/v1/predictions'],
  [
    'replicate',
    ['models/a-person/a-model/predictions', 'v1/models/a-person/a-model/predictions'],
    'https://api.replicate.com/v1/models/a-person/a-model/predictions',
  ],
  ['ideogram', ['v1/ideogram-v3/generate'], 'https://api.ideogram.ai/v1/ideogram-v3/generate'],
  ['ideogram', ['generate'], 'https://api.ideogram.ai/generate'],
  ['cartesia', ['tts/bytes'], 'https://api.cartesia.ai/tts/bytes'],
  ['deepgram', ['v1/listen', 'listen'], 'https://api.deepgram.com/v1/listen'],
  ['deepgram', ['v1/agent/converse', 'agent/converse'], 'https://agent.deepgram.com/v1/agent/converse'],
  [
    'elevenlabs',
    ['v1/text-to-speech/a-voice', 'text-to-speech/a-voice'],
    'https://api.elevenlabs.io/v1/text-to-speech/a-voice',
  ],
  ['parallel', ['v1/tasks/runs'], 'https://api.parallel.ai/v1/tasks/runs'],
  ['parallel', ['v1beta/search'], 'https://api.parallel.ai/v1beta/search'],
  ['parallel', ['v1beta/findall/ingest'], 'https://api.parallel.ai/v1beta/findall/ingest'],
  ['parallel', ['chat/completions', 'v1/chat/completions'], 'https://api.parallel.ai/chat/completions'],
  ['fal', ['fal-ai/flux/dev'], 'https://fal.run/fal-ai/flux/dev'],
  ['baseten', ['v1/chat/completions', 'chat/completions'], 'https://inference.baseten.co/v1/chat/completions'],
  [
    'baseten',
    ['model/abc123', 'model/abc123/predict', 'model/abc123/production/predict'],
    'https://model-abc123.api.baseten.co/production/predict',
  ],
  [
    'baseten',
    ['model/abc123/environments/staging/async_predict'],
    'https://model-abc123.api.baseten.co/environments/staging/async_predict',
  ],
  ['huggingface', ['v1/chat/completions', 'chat/completions'], 'https://router.huggingface.co/v1/chat/completions'],
  [
    'huggingface',
    ['an-org/a-model', 'models/an-org/a-model', 'hf-inference/models/an-org/a-model'],
    'https://router.huggingface.co/hf-inference/models/an-org/a-model',
  ],
  [
    'huggingface',
    ['an-org/a-model/pipeline/feature-extraction'],
    'https://router.huggingface.co/hf-inference/models/an-org/a-model/pipeline/feature-extraction',
  ],
  [
    'huggingface',
    ['fireworks-ai/inference/v1/chat/completions'],
    'https://router.huggingface.co/fireworks-ai/inference/v1/chat/completions',
  ],
  ['huggingface', ['cerebras/a-model'], 'https://router.huggingface.co/hf-inference/models/cerebras/a-model'],
  ['ollama', ['api/chat'], 'http://127.0.0.1:11434/api/chat'],
  ['ollama', ['v1/chat/completions'], 'http://127.0.0.1:11434/v1/chat/completions'],
  ['lmstudio', ['chat/completions', 'v1/chat/completions'], 'http://127.0.0.1:1234/v1/chat/completions'],
  ['lmstudio', ['api/v0/models'], 'http://127.0.0.1:1234/api/v0/models'],
  ['vllm', ['tokenize'], 'http://127.0.0.1:8000/tokenize'],
  ['vllm', ['rerank'], 'http://127.0.0.1:8000/rerank'],
  ['vllm', ['v1/rerank'], 'http://127.0.0.1:8000/v1/rerank'],
  ['llamacpp', ['infill'], 'http://127.0.0.1:8080/infill'],
]

describe.each(forms)('%s', (slug, paths, url) => {
  test.each(paths)(`%s → ${url}`, path => {
    expect(placed(slug, path).url).toBe(url)
  })
})

test('every provider places a path of its own, or says what is missing', () => {
  for (const { slug } of builtIn) {
    let said: unknown
    try {
      said = placed(slug, 'v1/chat/completions', { settings: { account: 'an-account' } }).url
    } catch (fault) {
      said = fault
    }
    if (said instanceof Error) expect(said).toBeInstanceOf(NativeFault)
    else expect(said).toMatch(/^https?:\/\/[^{}]+$/)
  }
})

describe('a configured base stands for the one of the table', () => {
  const here = 'http://127.0.0.1:4999'
  test.each([
    ['openai', `${here}/v1`, 'v1/chat/completions', `${here}/v1/chat/completions`],
    ['openai', `${here}/v1/`, 'chat/completions', `${here}/v1/chat/completions`],
    ['openai', here, 'v1/chat/completions', `${here}/chat/completions`],
    ['openai', here, 'chat/completions', `${here}/chat/completions`],
    ['groq', here, 'openai/v1/chat/completions', `${here}/chat/completions`],
    ['openrouter', here, 'api/v1/chat/completions', `${here}/v1/chat/completions`],
    ['openrouter', here, 'chat/completions', `${here}/v1/chat/completions`],
    ['openrouter', `${here}/api/v1`, 'api/v1/chat/completions', `${here}/api/v1/chat/completions`],
    ['openrouter', `${here}/api/v1`, 'v1/chat/completions', `${here}/api/v1/chat/completions`],
    ['openrouter', `${here}/api/v1`, 'chat/completions', `${here}/api/v1/chat/completions`],
    ['openrouter', `${here}/api/v1`, 'api/alpha/responses', `${here}/api/alpha/responses`],
    ['anthropic', here, 'messages', `${here}/v1/messages`],
    ['anthropic', `${here}/v1`, 'v1/messages', `${here}/v1/messages`],
    ['anthropic', `${here}/v1`, 'messages', `${here}/v1/messages`],
    ['google-ai-studio', here, 'models/m:generateContent', `${here}/v1beta/models/m:generateContent`],
    ['deepseek', here, 'v1/chat/completions', `${here}/chat/completions`],
    ['deepseek', `${here}/v1`, 'v1/chat/completions', `${here}/v1/chat/completions`],
    ['replicate', here, 'v1/predictions', `${here}/predictions`],
    ['deepgram', here, 'v1/agent/converse', `${here}/v1/agent/converse`],
    ['baseten', here, 'chat/completions', `${here}/v1/chat/completions`],
    ['baseten', here, 'model/abc123', `${here}/model/abc123`],
    ['baseten', `${here}/of/{model}`, 'model/abc123', `${here}/of/abc123/production/predict`],
    ['huggingface', here, 'v1/chat/completions', `${here}/v1/chat/completions`],
    ['huggingface', here, 'an-org/a-model', `${here}/an-org/a-model`],
    ['huggingface', `${here}/v1`, 'v1/chat/completions', `${here}/v1/chat/completions`],
    ['huggingface', `${here}/v1`, 'chat/completions', `${here}/v1/chat/completions`],
    ['fal', here, 'fal-ai/flux/dev', `${here}/fal-ai/flux/dev`],
    ['elevenlabs', here, 'v1/text-to-speech/a-voice', `${here}/v1/text-to-speech/a-voice`],
  ])('%s at %s: %s', (slug, base_url, path, url) => {
    expect(placed(slug, path, { settings: { base_url } }).url).toBe(url)
  })
})

describe('a provider of the operator’s own: {base_url}/{path} (contract 1.8)', () => {
  test.each([
    ['http://box:11434', 'api/chat', 'http://box:11434/api/chat'],
    ['http://box:11434', 'chat/completions', 'http://box:11434/chat/completions'],
    ['https://a.example/api', 'api/x', 'https://a.example/api/api/x'],
    ['https://a.example/v1', 'v1/chat/completions', 'https://a.example/v1/chat/completions'],
    ['https://a.example/v1', 'chat/completions', 'https://a.example/v1/chat/completions'],
    ['https://a.example/v1/', '', 'https://a.example/v1'],
    ['https://a.example/v1', 'v2/rerank', 'https://a.example/v1/v2/rerank'],
  ])('%s and %s', (base_url, path, url) => {
    for (const dialect of ['openai-chat', 'anthropic-messages', 'gemini', 'bedrock-converse', 'workers-ai'])
      expect(placed('custom-acme', path, { settings: { base_url, dialect } }).url).toBe(url)
  })

  test('its region serves the placeholder and the signature', () => {
    const settings = { base_url: 'https://{region}.a.example', dialect: 'bedrock-converse', region: 'eu-west-3' }
    const address = placed('custom-rock', 'model/m/converse', { settings })
    expect(address).toMatchObject({ url: 'https://eu-west-3.a.example/model/m/converse', region: 'eu-west-3' })
  })
})

describe('the path keeps its bytes', () => {
  test.each([
    ['openai', 'files/a%20b%2Fc', 'https://api.openai.com/v1/files/a%20b%2Fc'],
    ['openai', 'models/ft%3Agpt%3aorg', 'https://api.openai.com/v1/models/ft%3Agpt%3aorg'],
    ['openai', 'a//b/', 'https://api.openai.com/v1/a//b/'],
    ['openai', 'files/..hidden/a...b/.env', 'https://api.openai.com/v1/files/..hidden/a...b/.env'],
    ['openai', '%76%31/models', 'https://api.openai.com/v1/%76%31/models'],
    ['ollama', 'api/show/{model}', 'http://127.0.0.1:11434/api/show/{model}'],
  ])('%s/%s', (slug, path, url) => {
    expect(placed(slug, path).url).toBe(url)
  })
})

describe('a path that would leave the base is refused', () => {
  const paths = [
    '..',
    '../x',
    'a/../../x',
    'a/..',
    './a',
    'a/%2e%2e/b',
    'a/%2E./b',
    'a/.%2e',
    'a%2f..%2fb',
    'a%2F%2e%2E%2Fb',
    'a/..\\b',
    'a\\..\\b',
    'a%5c..%5Cb',
    'a/%252e%252e/b',
    'a%252f..%252fb',
    'a/..;/b',
    'a/..%3bx/b',
  ]
  const slugs = ['openai', 'anthropic', 'azure-openai', 'aws-bedrock', 'google-vertex-ai', 'workers-ai', 'baseten']
  test.each([...slugs, 'huggingface', 'fal', 'custom-acme'])('%s', slug => {
    const settings = { base_url: 'https://a.example/one/two', account: 'a' }
    for (const path of paths) expect(() => placed(slug, path, { settings })).toThrow(NativeFault)
  })
})

describe('the rule itself', () => {
  test('the endings of a base that a client may repeat', () => {
    expect(repeatsOf('https://api.groq.com/openai/v1')).toEqual(['openai/v1', 'v1'])
    expect(repeatsOf('https://api.x.ai')).toEqual([])
    expect(repeatsOf('https://h/accounts/{account}/ai/run/')).toEqual(['ai/run', 'run'])
  })

  test('a beginning counts by whole steps', () => {
    expect(tolerantPath('https://h/v1', 'v1x/y', { repeats: ['v1'] })).toBe('https://h/v1/v1x/y')
    expect(tolerantPath('https://h', 'version/y', { version: 'v1' })).toBe('https://h/v1/version/y')
    expect(tolerantPath('https://v1', 'v1/y')).toBe('https://v1/v1/y')
  })
})
