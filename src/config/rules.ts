import { policyProblems } from '../gateway/policies/compile.ts'
import { readGraph } from '../gateway/routes/read-graph.ts'
import { providerAliases } from '../providers/slugs.ts'
import { logpushRules } from './logpush-rules.ts'
import { dotted, type Position, pointerOf, type Reading } from './positions.ts'
import type { Problem } from './problems.ts'
import { isObject } from './shape.ts'
import { nearest } from './suggest.ts'

/** What the schema cannot say: names that must be known, unlike each other, or free. Values may still be malformed. */

/** The short addresses `/v1/<word>/…` beside `/v1/{account}/{gateway}/…`: an account of that name would be hidden. */
export const shortAddresses = [
  'audio',
  'batches',
  'chat',
  'completions',
  'embeddings',
  'files',
  'images',
  'messages',
  'models',
  'moderations',
  'realtime',
  'rerank',
  'responses',
] as const

/** How people call providers elsewhere (contract section 1.3). */
const otherNames: Record<string, string> = {
  aws: 'aws-bedrock',
  azure: 'azure-openai',
  bedrock: 'aws-bedrock',
  claude: 'anthropic',
  cloudflare: 'workers-ai',
  gemini: 'google-ai-studio',
  google: 'google-ai-studio',
  hf: 'huggingface',
  vertex: 'google-vertex-ai',
  vertexai: 'google-vertex-ai',
  'x-ai': 'grok',
  xai: 'grok',
}

/** Providers whose keys may be JSON text (contract section 2.3), by slug and by dialect. */
const jsonKeys = new Set(['aws-bedrock', 'google-vertex-ai', 'bedrock-converse'])

interface Findings {
  problems: Problem[]
  warnings: Problem[]
}

const at = (steps: (string | number)[], place: Position | undefined, message: string): Problem => ({
  ...place,
  path: dotted(pointerOf(steps)),
  message,
})

function accounts(file: Record<string, unknown>, reading: Reading): Problem[] {
  const list = Array.isArray(file.account) ? file.account : [file.account]
  const problems: Problem[] = []
  const seen = new Set<string>()
  for (const [index, name] of list.entries()) {
    if (typeof name !== 'string') continue
    const steps = Array.isArray(file.account) ? ['account', index] : ['account']
    const place = reading.at(pointerOf(steps))
    if ((shortAddresses as readonly string[]).includes(name.toLowerCase())) {
      const word = JSON.stringify(name)
      problems.push(
        at(steps, place, `an account cannot be called ${word}: /v1/${name.toLowerCase()} is a short address`),
      )
    } else if (seen.has(name)) problems.push(at(steps, place, `the account ${JSON.stringify(name)} is listed twice`))
    seen.add(name)
  }
  return problems
}

function tokens(file: Record<string, unknown>, reading: Reading): Findings {
  const problems: Problem[] = []
  const warnings: Problem[] = []
  const names = new Map<string, number | undefined>()
  const secrets = new Map<string, number | undefined>()
  const gateways = new Set(['default', ...(isObject(file.gateways) ? Object.keys(file.gateways) : [])])
  for (const [index, token] of (Array.isArray(file.tokens) ? file.tokens : []).entries()) {
    if (!isObject(token)) continue
    const place = (name: string) => reading.at(pointerOf(['tokens', index, name]))
    const unlike = (name: string, value: unknown, seen: Map<string, number | undefined>, message: string) => {
      if (typeof value !== 'string' || !value) return
      const first = seen.get(value)
      if (!seen.has(value)) seen.set(value, place(name)?.line)
      else
        problems.push(
          at(['tokens', index, name], place(name), `${message}${first ? `; the first is on line ${first}` : ''}`),
        )
    }
    unlike('name', token.name, names, 'another token has the same name')
    unlike('token', token.token, secrets, 'another token has the same secret')
    if (typeof token.token === 'string' && token.token && token.token.length < 8) {
      const message = 'a token of fewer than 8 characters is easily guessed'
      warnings.push(at(['tokens', index, 'token'], place('token'), message))
    }
    for (const [number, gateway] of (Array.isArray(token.gateways) ? token.gateways : []).entries()) {
      if (typeof gateway !== 'string' || !gateway || gateways.has(gateway)) continue
      const steps = ['tokens', index, 'gateways', number]
      warnings.push(at(steps, reading.at(pointerOf(steps)), 'the file declares no gateway of this name'))
    }
  }
  return { problems, warnings }
}

function domains(file: Record<string, unknown>, reading: Reading): Problem[] {
  const named = isObject(file.server) && isObject(file.server.domains) ? file.server.domains : {}
  const gateways = new Set(['default', ...(isObject(file.gateways) ? Object.keys(file.gateways) : [])])
  return Object.entries(named)
    .filter(([, gateway]) => typeof gateway === 'string' && !gateways.has(gateway))
    .map(([host]) => {
      const steps = ['server', 'domains', host]
      return at(steps, reading.at(pointerOf(steps)), 'the file declares no gateway of this name')
    })
}

function keyTexts(file: Record<string, unknown>, reading: Reading): Problem[] {
  const problems: Problem[] = []
  for (const section of ['providers', 'custom_providers']) {
    const providers = file[section]
    if (!isObject(providers)) continue
    for (const [slug, provider] of Object.entries(providers)) {
      if (!isObject(provider) || !isObject(provider.keys)) continue
      const kind = section === 'providers' ? slug : provider.dialect
      if (typeof kind !== 'string' || !jsonKeys.has(kind)) continue
      for (const [alias, key] of Object.entries(provider.keys)) {
        if (typeof key !== 'string' || !key.trimStart().startsWith('{')) continue
        try {
          JSON.parse(key)
        } catch {
          const steps = [section, slug, 'keys', alias]
          problems.push(at(steps, reading.at(pointerOf(steps)), 'begins like JSON but is not valid JSON'))
        }
      }
    }
  }
  return problems
}

function slugs(file: Record<string, unknown>, reading: Reading, known: readonly string[]): Problem[] {
  if (!isObject(file.providers) || !known.length) return []
  return Object.keys(file.providers)
    .filter(slug => !known.includes(slug))
    .map(slug => {
      const other = otherNames[slug.toLowerCase()]
      const near = other && known.includes(other) ? other : nearest(slug, known)
      const advice = near === undefined ? '' : `; did you mean ${JSON.stringify(near)}?`
      const own = `${advice ? '' : ';'} a server of your own goes under "custom_providers"`
      const place = reading.keyAt(pointerOf(['providers', slug]))
      return at(['providers', slug], place, `unknown provider ${JSON.stringify(slug)}${advice}${own}`)
    })
}

/** Policies of gateways, as far as their schema cannot judge them. */
function policies(file: Record<string, unknown>, reading: Reading, known: readonly string[]): Problem[] {
  const custom = Object.keys(isObject(file.custom_providers) ? file.custom_providers : {})
  const providers = [...known, ...custom.map(name => `custom-${name}`)]
  const named = known.length ? { isProvider: (slug: string) => providers.includes(slug), providers } : undefined
  return Object.entries(isObject(file.gateways) ? file.gateways : {}).flatMap(([id, gateway]) =>
    policyProblems(isObject(gateway) ? gateway.policies : undefined, named).map(({ pointer, message }) => {
      const whole = `${pointerOf(['gateways', id, 'policies'])}${pointer}`
      return { ...reading.at(whole), path: dotted(whole), message }
    }),
  )
}

/** Dynamic routes of gateways: their graphs have a reader of their own. */
function routes(file: Record<string, unknown>, reading: Reading, known: readonly string[]): Problem[] {
  const custom = Object.keys(isObject(file.custom_providers) ? file.custom_providers : {})
  const providers = [...known, ...providerAliases, ...custom, ...custom.map(name => `custom-${name}`)]
  // What the management API made is not known here.
  const isProvider = (slug: string) => slug.startsWith('custom-') || providers.includes(slug)
  const named = known.length ? { isProvider, providers } : undefined
  const problems: Problem[] = []
  for (const [id, gateway] of Object.entries(isObject(file.gateways) ? file.gateways : {})) {
    const given = isObject(gateway) && isObject(gateway.routes) ? gateway.routes : {}
    for (const [name, route] of Object.entries(given)) {
      const place = pointerOf(['gateways', id, 'routes', name, 'elements'])
      // What a reference failed to fill has been complained of, and would be missed again.
      const unfilled = [...reading.unresolved].some(pointer => pointer.startsWith(place))
      if (unfilled || !isObject(route) || !Array.isArray(route.elements)) continue
      const read = readGraph(route.elements, named)
      for (const { pointer, message } of 'problems' in read ? read.problems : [])
        problems.push({ ...reading.at(`${place}${pointer}`), path: dotted(place), message })
    }
  }
  return problems
}

/** Looks for what the schema cannot see. `knownProviders` may be empty: then any slug passes. */
export function checkRules(
  file: Record<string, unknown>,
  reading: Reading,
  knownProviders: readonly string[],
): Findings {
  const ofTokens = tokens(file, reading)
  const ofLogpush = logpushRules(file, reading)
  return {
    problems: [
      ...accounts(file, reading),
      ...ofTokens.problems,
      ...slugs(file, reading, knownProviders),
      ...keyTexts(file, reading),
      ...policies(file, reading, knownProviders),
      ...ofLogpush.problems,
      ...routes(file, reading, knownProviders),
    ],
    warnings: [...ofTokens.warnings, ...domains(file, reading), ...ofLogpush.warnings],
  }
}
