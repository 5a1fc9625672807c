import { readFileSync } from 'node:fs'
import type { Problem } from './problems.ts'
import { type Environment, unreadable } from './references.ts'
import type { ProviderSettings } from './schema.ts'
import { isObject } from './shape.ts'

/**
 * Provider settings from the variables that the providers' own tools read. They serve where there is no file, and
 * where the file does not mention a provider or mentions it without `keys`; what the file says wins, setting by
 * setting, and `keys: {}` in it says that there are none. An empty variable counts as unset.
 */

/** The usual variable of each provider whose key is all it needs; the first that is set is taken. */
const keyVariables: Record<string, string[]> = {
  openai: ['OPENAI_API_KEY'],
  anthropic: ['ANTHROPIC_API_KEY'],
  'google-ai-studio': ['GEMINI_API_KEY', 'GOOGLE_API_KEY'],
  mistral: ['MISTRAL_API_KEY'],
  cohere: ['COHERE_API_KEY', 'CO_API_KEY'],
  groq: ['GROQ_API_KEY'],
  grok: ['XAI_API_KEY'],
  deepseek: ['DEEPSEEK_API_KEY'],
  openrouter: ['OPENROUTER_API_KEY'],
  'perplexity-ai': ['PERPLEXITY_API_KEY', 'PPLX_API_KEY'],
  cerebras: ['CEREBRAS_API_KEY'],
  fireworks: ['FIREWORKS_API_KEY'],
  together: ['TOGETHER_API_KEY'],
  huggingface: ['HF_TOKEN'],
  baseten: ['BASETEN_API_KEY'],
  parallel: ['PARALLEL_API_KEY'],
  replicate: ['REPLICATE_API_TOKEN'],
  fal: ['FAL_KEY'],
  ideogram: ['IDEOGRAM_API_KEY'],
  cartesia: ['CARTESIA_API_KEY'],
  deepgram: ['DEEPGRAM_API_KEY'],
  elevenlabs: ['ELEVENLABS_API_KEY'],
}

export interface FromEnvironment {
  /** For where the file names no `storage.encryption_key`. */
  encryptionKey?: string
  providers: Record<string, ProviderSettings>
  warnings: Problem[]
}

type Read = (...names: string[]) => string | undefined

/** The settings without those that are undefined. */
const given = (settings: ProviderSettings): ProviderSettings =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))

/** Azure: the resource where the endpoint is of the usual kind, the whole address otherwise. */
function azure(read: Read, warnings: Problem[]): ProviderSettings | undefined {
  const key = read('AZURE_OPENAI_API_KEY')
  const endpoint = read('AZURE_OPENAI_ENDPOINT')
  if (!key) return undefined
  const settings: ProviderSettings = { keys: { default: key } }
  const version = read('AZURE_OPENAI_API_VERSION')
  if (version) settings.api_version = version
  if (!endpoint) return settings
  const address = URL.parse(endpoint.includes('://') ? endpoint : `https://${endpoint}`)
  const resource = /^([a-z0-9-]+)\.openai\.azure\.com$/.exec(address?.hostname ?? '')?.[1]
  if (resource) settings.resource = resource
  else if (address) settings.base_url = `${address.origin}/openai/deployments/{deployment}`
  else warnings.push({ path: 'AZURE_OPENAI_ENDPOINT', message: 'is not an address, and is not used' })
  return settings
}

/** Bedrock: an API key, or the parts of an AWS credential as the JSON text of contract section 2.3. */
function bedrock(read: Read): ProviderSettings | undefined {
  const region = read('AWS_REGION', 'AWS_DEFAULT_REGION')
  const bearer = read('AWS_BEARER_TOKEN_BEDROCK')
  const accessKeyId = read('AWS_ACCESS_KEY_ID')
  const secretAccessKey = read('AWS_SECRET_ACCESS_KEY')
  const sessionToken = read('AWS_SESSION_TOKEN')
  if (bearer) return given({ keys: { default: bearer }, region })
  if (!accessKeyId || !secretAccessKey) return undefined
  const key = JSON.stringify({ accessKeyId, secretAccessKey, region, sessionToken })
  return given({ keys: { default: key }, region })
}

/** Vertex: the service account's JSON out of the file that the variable names. */
function vertex(read: Read, warnings: Problem[]): ProviderSettings | undefined {
  const variable = 'GOOGLE_APPLICATION_CREDENTIALS'
  const path = read(variable)
  if (!path) return undefined
  const warn = (why: string) => {
    warnings.push({ path: variable, message: `names ${path}, but ${why}; google-vertex-ai has no key from it` })
    return undefined
  }
  let text: string
  try {
    text = readFileSync(path, 'utf8').trim()
  } catch (error) {
    return warn(unreadable(error))
  }
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch {
    return warn('it is not JSON')
  }
  if (!isObject(content) || typeof content.private_key !== 'string')
    return warn('it is not the key of a service account')
  const region = read('GOOGLE_CLOUD_LOCATION')
  const project = read('GOOGLE_CLOUD_PROJECT')
  return given({ keys: { default: text }, region, project })
}

function workersAi(read: Read): ProviderSettings | undefined {
  const key = read('CLOUDFLARE_API_TOKEN')
  const account = read('CLOUDFLARE_ACCOUNT_ID')
  return key && account ? { keys: { default: key }, account } : undefined
}

/**
 * Where Ollama listens, in the forms that its own variable takes: `host`, `host:port`, `:port`, `http://host:port`.
 * An address that means every interface is reached as this machine.
 */
export function ollamaAddress(value: string): string | undefined {
  const bare = value.startsWith(':') ? `127.0.0.1${value}` : value
  const address = URL.parse(bare.includes('://') ? bare : `http://${bare}`)
  if (!address?.hostname || !/^https?:$/.test(address.protocol)) return undefined
  if (address.hostname === '0.0.0.0' || address.hostname === '[::]') address.hostname = '127.0.0.1'
  // Ollama's own rule: no port means 11434, except where the scheme is written out.
  if (!address.port && !bare.includes('://')) address.port = '11434'
  return address.href.replace(/\/+$/, '')
}

/** What the environment says of providers. Never throws: what is set but of no use is a warning. */
export function readEnvironment(env: Environment): FromEnvironment {
  const warnings: Problem[] = []
  const read: Read = (...names) => {
    for (const name of names) {
      const value = env[name]?.trim()
      if (value) return value
    }
    return undefined
  }
  const providers: Record<string, ProviderSettings> = Object.create(null)
  for (const [slug, names] of Object.entries(keyVariables)) {
    const key = read(...names)
    if (key) providers[slug] = { keys: { default: key } }
  }
  const others = {
    'azure-openai': azure(read, warnings),
    'aws-bedrock': bedrock(read),
    'google-vertex-ai': vertex(read, warnings),
    'workers-ai': workersAi(read),
  }
  for (const [slug, settings] of Object.entries(others)) if (settings) providers[slug] = settings
  const host = read('OLLAMA_HOST')
  if (host) {
    const base_url = ollamaAddress(host)
    if (base_url) providers.ollama = { base_url }
    else warnings.push({ path: 'OLLAMA_HOST', message: 'is not an address, and is not used' })
  }
  const encryptionKey = read('POSTERN_ENCRYPTION_KEY')
  return { providers, warnings, ...(encryptionKey && { encryptionKey }) }
}
