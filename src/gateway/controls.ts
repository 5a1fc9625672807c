import { CustomCostFault, customCost } from '../costs/custom-cost.ts'
import type { Price } from '../costs/price.ts'
import { invalidRequest } from './fault.ts'
import { type Metadata, readMetadata } from './metadata.ts'

/** A header of a step, a step's `config`, or an element of a route. */
export type ControlSource = 'step' | 'config' | 'route'

export type Backoff = 'constant' | 'linear' | 'exponential'

/**
 * What a request asks of the gateway in its headers (contract 3.1). A step of a list may say each anew; what nobody says
 * is the gateway's own setting.
 */
export interface Controls {
  readonly skipCache?: boolean
  /** Seconds; 0 turns the cache off. */
  readonly cacheTtl?: number
  readonly cacheKey?: string
  readonly collectLog?: boolean
  readonly collectPayload?: boolean
  readonly metadata?: Metadata
  readonly customCost?: Price
  readonly eventId?: string
  /** Milliseconds to the provider's first byte; 0 for as long as it takes. */
  readonly requestTimeout?: number
  readonly maxAttempts?: number
  /** Milliseconds. */
  readonly retryDelay?: number
  readonly backoff?: Backoff
  readonly byokAlias?: string
  /** Only ever asks for more than the gateway's own `byok_only`. */
  readonly noWholesale?: boolean
  readonly zdr?: boolean
  readonly otelTraceId?: string
  readonly otelParentSpanId?: string
  /** The trace that the client's own span stands in, as it came (W3C Trace Context). */
  readonly traceparent?: string
  readonly tracestate?: string
  readonly sessionId?: string
  readonly turnId?: string
  readonly noSessionAffinity?: boolean
  readonly allowedModels?: readonly string[]
  readonly allowedProviders?: readonly string[]
  /** Where those come from that no header of the request said. For `explain`. */
  readonly sources?: Readonly<Partial<Record<keyof Controls, ControlSource>>>
  /** What was said and has no effect, for the answer's `postern-dropped`. */
  readonly dropped?: readonly string[]
}

type Draft = { -readonly [Name in keyof Controls]: Controls[Name] }
type Reader = (value: string, name: string, draft: Draft) => void

const LONGEST_TEXT = 256
const MONTH_S = 2_592_000
/** A timer of more milliseconds would go off at once. */
const LONGEST_WAIT_MS = 2_147_483_647

const wrong = (name: string, expected: string) => invalidRequest(`${name}: expected ${expected}`, name)

function yesOrNo(member: 'skipCache' | 'collectLog' | 'collectPayload' | 'noWholesale' | 'zdr' | 'noSessionAffinity') {
  return (value: string, name: string, draft: Draft) => {
    const said = value.toLowerCase()
    if (said === 'true' || said === '1') draft[member] = true
    else if (said === 'false' || said === '0') draft[member] = false
    else throw wrong(name, '"true" or "false"')
  }
}

function whole(
  member: 'cacheTtl' | 'requestTimeout' | 'maxAttempts' | 'retryDelay',
  expected: string,
  fits: (value: number) => boolean,
) {
  return (value: string, name: string, draft: Draft) => {
    const number = /^\d{1,10}$/.test(value) ? Number(value) : Number.NaN
    if (!fits(number)) throw wrong(name, expected)
    draft[member] = number
  }
}

function text(member: 'cacheKey' | 'eventId' | 'byokAlias' | 'sessionId' | 'turnId') {
  return (value: string, name: string, draft: Draft) => {
    if (value.length > LONGEST_TEXT) throw wrong(name, `at most ${LONGEST_TEXT} characters`)
    draft[member] = value
  }
}

function hex(member: 'otelTraceId' | 'otelParentSpanId', digits: number) {
  const pattern = new RegExp(`^[0-9a-f]{${digits}}$`)
  return (value: string, name: string, draft: Draft) => {
    const said = value.toLowerCase()
    // All zeros is OpenTelemetry's word for "none".
    if (!pattern.test(said) || /^0+$/.test(said)) throw wrong(name, `${digits} hexadecimal digits`)
    draft[member] = said
  }
}

function list(member: 'allowedModels' | 'allowedProviders') {
  return (value: string, _name: string, draft: Draft) => {
    draft[member] = value
      .split(',')
      .map(item => item.trim())
      .filter(Boolean)
  }
}

const skipCache = yesOrNo('skipCache')
const cacheTtl = whole(
  'cacheTtl',
  `seconds from 60 to ${MONTH_S}, or 0 for no cache`,
  ttl => ttl === 0 || (ttl >= 60 && ttl <= MONTH_S),
)

/** Read elsewhere: they are about who calls, and where. */
const elsewhere: Reader = () => {}

const readers: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['cf-aig-authorization', elsewhere],
  ['cf-aig-gateway-id', elsewhere],
  ['cf-aig-skip-cache', skipCache],
  // The old names, which every `ai-gateway-provider` up to 3.1.3 sends.
  ['cf-skip-cache', skipCache],
  ['cf-aig-cache-ttl', cacheTtl],
  ['cf-cache-ttl', cacheTtl],
  ['cf-aig-cache-key', text('cacheKey')],
  ['cf-aig-collect-log', yesOrNo('collectLog')],
  ['cf-aig-collect-log-payload', yesOrNo('collectPayload')],
  ['cf-aig-event-id', text('eventId')],
  [
    'cf-aig-request-timeout',
    whole('requestTimeout', 'milliseconds, or 0 for no limit', value => value <= LONGEST_WAIT_MS),
  ],
  ['cf-aig-max-attempts', whole('maxAttempts', 'a number from 1 to 5', value => value >= 1 && value <= 5)],
  ['cf-aig-retry-delay', whole('retryDelay', 'milliseconds from 0 to 5000', value => value <= 5_000)],
  [
    'cf-aig-backoff',
    (value, name, draft) => {
      if (value !== 'constant' && value !== 'linear' && value !== 'exponential')
        throw wrong(name, '"constant", "linear" or "exponential"')
      draft.backoff = value
    },
  ],
  ['cf-aig-byok-alias', text('byokAlias')],
  ['cf-aig-no-wholesale', yesOrNo('noWholesale')],
  ['cf-aig-zdr', yesOrNo('zdr')],
  ['cf-aig-otel-trace-id', hex('otelTraceId', 32)],
  ['cf-aig-otel-parent-span-id', hex('otelParentSpanId', 16)],
  ['cf-aig-session-id', text('sessionId')],
  ['cf-aig-turn-id', text('turnId')],
  ['cf-aig-no-session-affinity', yesOrNo('noSessionAffinity')],
  ['cf-aig-allowed-models', list('allowedModels')],
  ['cf-aig-allowed-providers', list('allowedProviders')],
  [
    'cf-aig-custom-cost',
    (value, name, draft) => {
      try {
        draft.customCost = customCost(value)
      } catch (fault) {
        if (!(fault instanceof CustomCostFault)) throw fault
        throw invalidRequest(fault.message, name)
      }
    },
  ],
  [
    'cf-aig-metadata',
    (value, name, draft) => {
      const { metadata, dropped } = readMetadata(value, name)
      if (metadata) draft.metadata = metadata
      if (dropped.length) draft.dropped = [...(draft.dropped ?? []), ...dropped]
    },
  ],
])

const NONE: Controls = {}

/**
 * Reads what a request asks of the gateway. An empty value says nothing.
 * @throws GatewayFault 400 naming the header that does not fit
 */
export function readControls(headers: Headers): Controls {
  let draft: Draft | undefined
  for (const name of headers.keys()) {
    if (!name.startsWith('cf-')) {
      if (name === 'traceparent') draft = { ...draft, ...traceIn(headers) }
      continue
    }
    const reader = readers.get(name)
    if (reader === elsewhere) continue
    draft ??= {}
    const value = headers.get(name)!.trim()
    if (reader) {
      // Where both names are there the new one counts.
      if (value && !(OLD_NAMES.has(name) && headers.has(name.replace('cf-', 'cf-aig-')))) reader(value, name, draft)
    } else if (name.startsWith('cf-aig-')) draft.dropped = [...(draft.dropped ?? []), name]
  }
  return draft ?? NONE
}

function traceIn(headers: Headers): Pick<Controls, 'traceparent' | 'tracestate'> {
  const traceparent = headers.get('traceparent')!
  const tracestate = headers.get('tracestate')
  return tracestate === null ? { traceparent } : { traceparent, tracestate }
}

const OLD_NAMES = new Set(['cf-skip-cache', 'cf-cache-ttl'])
