import type { Config } from '../config/schema.ts'
import type { JsonObject } from '../conversation/conversation.ts'
import type { ProviderError } from '../conversation/errors.ts'
import type { Finish, Usage } from '../conversation/reply.ts'
import type { Cost } from '../costs/cost.ts'
import type { ClientDialect, Memory, UpstreamDialect } from '../dialects/dialect.ts'
import type { Place as Address, Endpoint } from '../providers/provider.ts'
import type { Reach, Registry } from '../providers/registry.ts'
import type { GatewaySettings } from '../schemas/gateway.ts'
import type { Limit } from '../storage/counters/counters.ts'
import type { CreditStore } from '../storage/credits.ts'
import type { Live } from '../storage/live.ts'
import type { AttemptRecord, Surface } from '../telemetry/attempt-record.ts'
import type { Logger, RequestLog } from '../telemetry/log.ts'
import type { Trace } from '../telemetry/otel/trace.ts'
import type { Pools } from './balance/pools.ts'
import type { Flights } from './cache/coalesce.ts'
import type { CachePlan } from './cache/plan.ts'
import type { FlightHead } from './cache/serve.ts'
import type { Controls } from './controls.ts'
import type { KeptAnswer } from './kept-answer.ts'
import type { KeyBook } from './keys.ts'
import type { Lately } from './lately.ts'
import type { Rate } from './limits/caller.ts'
import type { Claimed } from './limits/claim.ts'
import type { AccountLimit } from './limits/spending-limit.ts'
import type { PolicyBook } from './policies/book.ts'
import type { Place } from './pooled.ts'
import type { RouteBook } from './routes/book.ts'
import type { Decision as Turn } from './routes/walk.ts'
import type { StoredObjects } from './stored-objects.ts'
import type { Caller, TokenBook } from './tokens.ts'
import type { Abort } from './transport/abort.ts'

/** One reading of the configuration and of what the management API made. Requests in flight keep the one that they began with. */
export interface Settings {
  config: Config
  accounts: ReadonlySet<string>
  tokens: TokenBook
  /** The providers' keys of the store. */
  keys: KeyBook
  credits: CreditStore
  accountLimit: Lately<AccountLimit | undefined>
  live: Live
  /** The calls under way that may be shared. */
  flights: Flights<FlightHead>
  gateways: ReadonlyMap<string, GatewaySettings>
  registry: Registry
  /** What the management API makes of both. */
  stored: StoredObjects
  /** What is known of keys and deployments that requests are spread over. */
  pools: Pools
  routes: RouteBook
  policies: PolicyBook
  /** Whoever takes the records of attempts that are over. */
  sinks: readonly RecordSink[]
  /** How many answers go out in pieces now. */
  streams: { open: number }
  /** For faults of our own. */
  log: Logger
}

/** Takes records; it never throws and never waits. */
export interface RecordSink {
  put(record: AttemptRecord): void
}

/** Where the client's words go: one model at one provider. */
export interface Target {
  reach: Reach
  /** The provider's own model id. */
  model: string
}

/** A written request, ready to be addressed and signed. */
export interface Written {
  endpoint: Endpoint
  place: Address
  dialect: UpstreamDialect
  body: string
  dropped: string[]
  /** Headers that the dialect wants beside the body. */
  headers?: Record<string, string>
  memory: Memory
  /** Client and provider speak the same dialect, and the provider keeps to it: the answer's bytes pass unchanged. */
  unchanged: boolean
  /** More than the model of the client's own text is another. */
  rewritten: boolean
}

/** What a request has become so far, on whichever surface it came. Each step of the way fills in its part. */
export interface Exchange {
  readonly request: Request
  /** What the client says in headers: the request's own, or those of a step of the universal endpoint. */
  readonly headers: Headers
  readonly settings: Settings
  /** From `performance.now()`. */
  readonly started: number
  readonly path: string
  readonly account: string
  readonly gatewayId: string
  readonly surface: Surface
  /** Takes the line of the request when it is over. */
  readonly log: RequestLog
  /** Aborts the upstream call. */
  readonly abort: Abort
  readonly ids: Ids
  /** The same for all steps and attempts of one request of a client. */
  readonly shared: Shared
  /** What this attempt has taken of limits; given back, or corrected, when it is over. */
  readonly claimed: Claimed[]
  /** The client's body, for the record. */
  sent?: string | Uint8Array
  /** The same as the client wrote it, where the surface wraps it in something of its own. */
  wrapped?: string
  /** Under which key its answer is looked for in the cache. */
  cachePlan?: CachePlan
  /** Keeps what goes to the client, for the cache and the record. */
  kept?: KeptAnswer
  /** Takes a good answer when it is over. */
  cacheable?: (one: Exchange, answer: KeptAnswer) => void
  /** What was set aside of the caller's credit. */
  credit?: { settle(cost: number): Promise<void> }
  /** Of a list or a route, from 0. */
  readonly step?: number
  /** From 2 where it is a further one. */
  readonly attempt?: number
  /** Somebody else is asked when this comes to nothing. */
  readonly hasFallback?: boolean
  /** The same may be asked again when this comes to nothing. */
  canTryAgain?: boolean
  /** Where the caller's key for a provider may stand, and with it our token. */
  readonly keyPlaces: KeyPlaces

  gateway: GatewaySettings
  /** What the client asks of the gateway in its headers. */
  controls: Controls
  caller?: Caller
  /** A provider's key that the caller brought along. */
  callerKey?: string
  /** Headers that hold our token, or a placeholder for a key: they never go upstream. */
  withheld?: string[]

  target?: Target
  credential?: string
  /** The key or deployment that it was given out of several. */
  place?: Place
  /** Whose it is; undefined where none is needed. */
  key?: KeyUsed
  stream: boolean
  /** The answer is put into other words, so that all of it has to be there before any of it goes out. */
  inOnePiece?: boolean

  /** The span that this attempt becomes; made by whoever needs it first. */
  span?: Trace

  /** For the record. */
  outcome: Outcome
}

export interface Shared {
  /** It has been counted where requests are. */
  counted: boolean
  /** The answer goes on without its client for a while: it may come back for the rest. */
  outlives: boolean
  /** Ends the request in place of its client's leaving, where others share its answer. */
  until?: AbortSignal
  /** Counters of money on the way of a route, to which everything is added that its models cost. */
  spent: Limit[]
  /** The turns on the way of a route. */
  turns?: readonly Turn[]
  /** What is left of the limit that it counts against. */
  rateLimit?: RateLimit
  /** The first span of it, and with it the trace that all others stand in. */
  trace?: Trace
}

export interface RateLimit {
  limit: number
  remaining: number
  /** Seconds. */
  reset: number
}

/** By what a request is found again. UUIDs of version 7 but for an event's, which the client may choose. */
export interface Ids {
  /** One for a request of a client, however many steps and attempts it takes. */
  request: string
  /** The client's own word for what this request is part of; that of the request where it says none. */
  event: string
  /** One for each step. */
  log: string
}

/** Whose key goes upstream. */
export type KeyUsed =
  | { of: 'caller' }
  /** Of the file. */
  | { of: 'house'; alias: string }
  | { of: 'store'; alias: string; id: string; modified: number; limit?: Rate }

/** Names of headers in lower case, and of a parameter of the address. */
export interface KeyPlaces {
  headers: readonly string[]
  query?: string
}

/** Where OpenAI's clients put a key, and most others. */
export const AUTHORIZATION: KeyPlaces = { headers: ['authorization'] }

/** A chat on the unified endpoint, which is understood and, where need be, translated. */
export interface ChatExchange extends Exchange {
  readonly client: ClientDialect
  /** The body as the client wrote it, and parsed. */
  text: string
  body: JsonObject
  written?: Written
}

export interface Outcome {
  status?: number
  /** From `performance.now()`: the provider's status line. */
  firstByte?: number
  /** Which model answered, in the provider's own word: behind a deployment or an alias that is another than was asked for. */
  model?: string
  usage?: Usage
  cost?: Cost
  error?: ProviderError & { number?: number }
  /** The answer's media type, and its format where it is not the client's dialect. */
  type?: string
  format?: string
  /** It came from our own cache. */
  cached?: boolean
  /** The client left before the end. */
  left?: boolean
  /** Why each choice ended, where the answer was understood. */
  finish?: readonly Finish[]
  /** Where the provider was asked, of an attempt that becomes a span. */
  server?: AttemptRecord['server']
  /** It goes out in pieces, and counts among the open streams until it is on record. */
  isOpen?: boolean
}
