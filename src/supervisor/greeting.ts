import type { Config } from '../config/schema.ts'

export interface GreetingFacts {
  config: Config
  /** A token that may be shown: the first one, or the demo's. */
  token?: string
  /** Whether `token` was made now and is never shown again. */
  isNew: boolean
  demo: boolean
  /** Slugs of the providers that have a key in the store. */
  stored?: readonly string[]
  /** The version of an Ollama on this machine. */
  ollama?: string
  /** A model that it has. */
  ollamaModel?: string
}

const holdsKey = (settings: { keys?: Record<string, string> }): boolean => Object.keys(settings.keys ?? {}).length > 0

/** Whether a server of models answers where Ollama does, and its version; asked for at most 300 ms. */
export async function findOllama(base = 'http://127.0.0.1:11434'): Promise<string | undefined> {
  try {
    const answer = await fetch(`${base}/api/version`, { signal: AbortSignal.timeout(300) })
    const body = (await answer.json()) as { version?: unknown }
    return answer.ok && typeof body.version === 'string' ? body.version : undefined
  } catch {
    return undefined
  }
}

/** A model of the Ollama there that can chat, so that the lines that are shown work as they stand. */
export async function findOllamaModel(base = 'http://127.0.0.1:11434'): Promise<string | undefined> {
  try {
    const answer = await fetch(`${base}/api/tags`, { signal: AbortSignal.timeout(300) })
    const { models } = (await answer.json()) as { models?: { name?: unknown }[] }
    const names = (models ?? []).flatMap(({ name }) =>
      typeof name === 'string' && /^[\w.:/-]+$/.test(name) ? [name] : [],
    )
    return names.find(name => !name.includes('embed'))
  } catch {
    return undefined
  }
}

/** A model that is likely to answer, of the first provider that has a key. */
const models: Record<string, string> = {
  openai: 'gpt-5-mini',
  anthropic: 'claude-haiku-4-5',
  'google-ai-studio': 'gemini-2.5-flash',
  mistral: 'mistral-small-latest',
  groq: 'llama-3.1-8b-instant',
  deepseek: 'deepseek-chat',
}

function exampleModel(withKeys: string[], facts: GreetingFacts): string {
  if (facts.demo) return 'demo/story'
  const provider = withKeys.find(slug => models[slug])
  if (provider) return `${provider}/${models[provider]}`
  if (withKeys[0]) return `${withKeys[0]}/<model>`
  return facts.ollama ? `ollama/${facts.ollamaModel ?? '<model>'}` : '<provider>/<model>'
}

const curl = (address: string, token: string, model: string, stream: boolean): string =>
  `  curl ${stream ? '-N ' : ''}${address}/v1/chat/completions \\
    -H "Authorization: Bearer ${token}" -H "Content-Type: application/json" \\
    -d '{"model":"${model}",${stream ? '"stream":true,' : ''}"messages":[{"role":"user","content":"Say hello."}]}'`

/** What a person reads when Postern has started: where it is, what it has, and a line to try at once. */
export function greeting(facts: GreetingFacts): string {
  const { config, token, isNew, demo, ollama } = facts
  const address = config.server.public_url
  const inFile = Object.keys(config.providers).filter(slug => holdsKey(config.providers[slug] ?? {}))
  const withKeys = [...new Set([...inFile, ...(facts.stored ?? [])])]
  const own = Object.keys(config.custom_providers).filter(name => name !== 'demo' || !demo)
  const model = exampleModel(withKeys, facts)
  const shown = token ?? '$POSTERN_TOKEN'
  const lines = [
    '',
    `Postern is up at ${address}`,
    '',
    `  Base URL    ${address}/v1/${config.accounts[0]}/default/compat   (or ${address}/v1)`,
    `  Providers   ${withKeys.length ? `keys for ${withKeys.join(', ')}` : 'no keys yet'}`,
    ...(own.length ? [`  Your own    ${own.map(name => `custom-${name}`).join(', ')}`] : []),
    `  Ollama      ${ollama ? `found, version ${ollama}` : 'not found on this machine'}`,
    ...(demo ? ['  Demo        on: models demo/story, demo/echo, demo/tools, demo/slow, demo/fail-429, …'] : []),
    `  Docs        ${address}/docs`,
    '',
  ]
  if (token && isNew)
    lines.push('Your first token, with all permissions. It is shown only this once:', '', `  ${token}`, '')
  if (!token) lines.push('Put your token into POSTERN_TOKEN; `postern token add <name>` makes another.', '')
  lines.push(
    'Try it:',
    '',
    curl(address, shown, model, false),
    '',
    'And as a stream:',
    '',
    curl(address, shown, model, true),
    '',
  )
  if (!demo && !withKeys.length && !own.length && !ollama) {
    lines.push(
      'No provider has a key yet: set OPENAI_API_KEY, ANTHROPIC_API_KEY or another, or write a file',
      'with `postern init`. `postern demo` answers without any key.',
      '',
    )
  }
  return `${lines.join('\n')}\n`
}
