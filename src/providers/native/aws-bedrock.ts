import { bearer, inHeader } from '../auth/auth.ts'
import { aws, awsFor } from '../auth/aws.ts'
import { fill, fillsOf } from '../placeholders.ts'
import { type NativeAddress, NativeFault, type NativePlace } from './address.ts'
import { placedBy } from './wire.ts'

export const BEDROCK_RUNTIME = 'https://bedrock-runtime.{region}.amazonaws.com'
const BEDROCK_MANTLE = 'https://bedrock-mantle.{region}.api.aws'

/** What the two services serve, for paths that name neither and go to the configured region. */
const BARE: Record<string, 'bedrock-runtime' | 'bedrock-mantle'> = {
  model: 'bedrock-runtime',
  openai: 'bedrock-runtime',
  guardrail: 'bedrock-runtime',
  'async-invoke': 'bedrock-runtime',
  anthropic: 'bedrock-mantle',
  v1: 'bedrock-mantle',
}

const EXPECTED =
  'expected aws-bedrock/bedrock-runtime/{region}/model/{model}/converse, aws-bedrock/bedrock-mantle/{region}/… or aws-bedrock/model/{model}/…'

const mantle = awsFor('bedrock-mantle', bearer)
/** Where Mantle speaks as Anthropic does, it takes an API key as Anthropic does (contract 2.3). */
const mantleAnthropic = awsFor('bedrock-mantle', inHeader('x-api-key'))

/**
 * Bedrock: the path begins with the service and the region, or goes to the configured region without them. The escapes
 * of a model's id stay, because the signature of a client is made over them (trap 55).
 */
export function bedrockNative(path: string, place: NativePlace): NativeAddress {
  const [first = '', second = ''] = path.split('/', 2)
  const named = first === 'bedrock-runtime' || first === 'bedrock-mantle'
  const service = named ? first : BARE[first]
  if (!service) throw new NativeFault(`the path does not begin with a service of Bedrock; ${EXPECTED}`)
  if (named && !/^[a-z]{2,}(?:-[a-z]+)+-\d+$/.test(second))
    throw new NativeFault(`the path does not name a region of AWS behind ${first}; ${EXPECTED}`)
  const region = named ? second : place.region
  const rest = named ? path.slice(first.length + second.length + 2) : path
  const isMantle = service === 'bedrock-mantle'
  // A configured base stands for both services.
  const template = isMantle && place.base === BEDROCK_RUNTIME ? BEDROCK_MANTLE : place.base
  const base = fill(template, fillsOf({ ...place, region }))
  const url = rest ? `${base}/${rest}` : base
  if (!isMantle) return { url, auth: aws, region, ...placedBy(url) }
  return rest.startsWith('anthropic/')
    ? { url, auth: mantleAnthropic, bearerAs: 'x-api-key', region, ...placedBy(url) }
    : { url, auth: mantle, region, ...placedBy(url) }
}
