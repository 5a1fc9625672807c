import type { ProviderError } from './errors.ts'
import type { Citation, ReasoningFormat } from './parts.ts'
import type { Finish, Logprobs, Usage } from './reply.ts'

/**
 * A stream in the neutral form. `choice` is the index of the answer (n > 1), `call` numbers the tool calls of a choice
 * densely from 0 in order of first appearance, whatever the provider's own numbering was (T05, T24, T44).
 *
 * Rules that every reader keeps: `start` at most once and before anything else; `tool-call` before the `tool-arguments`
 * of its number, with a non-empty id that is unique in the choice, and a non-empty name; `finish` at most once a choice; `usage` may come more than once
 * and the last one holds; `end` when the provider's own terminator was read; after `error` nothing else.
 */
export type Event =
  | { type: 'start'; id?: string; model?: string; created?: number }
  | { type: 'text'; choice: number; text: string; signature?: string }
  | {
      type: 'reasoning'
      choice: number
      text: string
      /** Number of the reasoning block within the choice; deltas of one block share it. */
      block: number
      signature?: string
      redacted?: string
      format?: ReasoningFormat
      native?: unknown
    }
  | { type: 'refusal'; choice: number; text: string }
  | { type: 'tool-call'; choice: number; call: number; id: string; name: string; signature?: string }
  | { type: 'tool-arguments'; choice: number; call: number; text: string }
  | { type: 'citation'; choice: number; citation: Citation }
  | { type: 'logprobs'; choice: number; logprobs: Logprobs }
  | { type: 'unknown'; at: 'reply' | 'choice' | 'message'; choice: number; fields: Record<string, unknown> }
  | { type: 'usage'; usage: Usage }
  | { type: 'finish'; choice: number; finish: Finish; native?: string }
  | { type: 'ping' }
  | { type: 'error'; error: ProviderError }
  | { type: 'end' }
