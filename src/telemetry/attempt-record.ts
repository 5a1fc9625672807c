import type { Finish, Usage } from '../conversation/reply.ts'
import type { Cost } from '../costs/cost.ts'

/**
 * Everything that is known of one attempt when it is over: what the log line, the records, the metrics, the traces and
 * logpush are made of. It is made once; whoever takes it changes nothing in it, and does its work off the request's way.
 */
export interface AttemptRecord {
  /** UUID of version 7; what `cf-aig-log-id` says. */
  id: string
  /** What `cf-aig-event-id` says: the caller's own word, or the request's id. */
  event: string
  /** One for all steps and attempts of a client's request. */
  request: string
  /** Milliseconds since 1970, when the attempt began. */
  at: number
  /** Milliseconds, with decimals. */
  duration: number
  /** Milliseconds from the beginning to the provider's status line; absent when there was none. */
  firstByte?: number
  /** Milliseconds from the beginning to the first byte that went to the client, where it was a stream. */
  firstWord?: number
  gateway: string
  method: string
  path: string
  /** Which address it came by. */
  surface: Surface
  provider?: string
  model?: string
  /** The model's name as the client said it (`dynamic/support`), where it is another. */
  asked?: string
  /** Of a list or a route, from 0. */
  step?: number
  /** From 1. */
  attempt: number
  /** What the client got, or what this attempt came to; 499 when the client left. */
  status: number
  stream: boolean
  /** From our own cache. */
  cached: boolean
  usage?: Usage
  cost?: Cost
  /** The caller said what it costs. */
  customCost: boolean
  /** The name of the caller's token. */
  token?: string
  /** Whose key was used: the caller's own, the house's, or a stored one, by its alias. */
  key?: { of: 'caller' | 'house' | 'store'; alias?: string }
  metadata?: Readonly<Record<string, string | number | boolean | null>>
  userAgent?: string
  requestType?: string
  answerType?: string
  /** Bytes of the client's body, and of what went back. */
  requestSize: number
  answerSize: number
  /** Our word for what went wrong, and Cloudflare's number for it; the provider's message may quote the prompt, so it is not here. */
  error?: { code: string; number?: number }
  /** Whether a row is to be kept, and whether the bodies are. */
  collect: boolean
  collectBodies: boolean
  bodies?: RecordedBodies
  /** What the caller said of the trace that this is part of, with the ids of the attempt's span where it has become one. */
  trace?: { traceId?: string; parentSpanId?: string; traceparent?: string; spanId?: string; sampled?: boolean }
  /** Whether the answer cache was asked, and had it; said of a request once, however often its provider was asked. */
  cache?: 'hit' | 'miss'
  /** The model that the provider says has answered. */
  answeredBy?: string
  /** Why each choice of the answer ended, as far as it was read. */
  finish?: readonly Finish[]
  /** Where the provider was asked; only of an attempt that becomes a span. */
  server?: { address: string; port: number }
  /**
   * What the gateway decided on the way, in order, for `explain`: never a prompt and never a key. Made by whoever writes it
   * down, since nobody else reads it. A list that many records share is frozen.
   */
  decisions?: readonly Decision[] | (() => readonly Decision[])
}

export type Surface = 'compat' | 'native' | 'universal' | 'rest' | 'websocket' | 'realtime'

/** The bodies as they passed, by reference; at most so many bytes of each are kept as the record's owner says. */
export interface RecordedBodies {
  /** What the client sent. */
  request?: string | Uint8Array
  /** What went to the provider, where it is not the client's own. */
  upstreamRequest?: string | Uint8Array
  /** What went to the client, in pieces as they came. */
  answer?: readonly Uint8Array[]
  /** What the provider said, where it is not what went to the client. */
  upstreamAnswer?: readonly Uint8Array[]
  /** Pieces beyond the bound were let go. */
  cut?: boolean
  /** For putting a stream together: the dialect of what went to the client, or the native format. */
  format?: string
}

export interface Decision {
  /** `authenticate`, `gateway`, `route`, `cache`, `limits`, `key`, `attempt`, `translate`, … */
  step: string
  /** One sentence, or a few words. */
  what: string
  /** Milliseconds since the beginning. */
  at?: number
  /** Facts by name. */
  facts?: Readonly<Record<string, string | number | boolean | null>>
}
