import type { Conversation, JsonObject } from '../conversation/conversation.ts'
import type { ProviderError } from '../conversation/errors.ts'
import type { Reply, Usage } from '../conversation/reply.ts'
import type { Framing } from '../stream/frame.ts'
import type { Reader, Writer } from '../stream/translator.ts'

export type DialectName =
  | 'openai-chat'
  | 'anthropic-messages'
  | 'gemini'
  | 'bedrock-converse'
  | 'cohere-chat'
  | 'ollama-chat'
  | 'workers-ai'

/** What a dialect is told about the model that it writes for. */
export interface Target {
  /** The provider's own model id, without our prefix. */
  model: string
}

/** What must be undone in the answer: the reversible changes that writing a request made. */
export interface Memory {
  /** Shortened tool name → the caller's name (T56). */
  toolNames?: Map<string, string>
  /** The forced tool that stands in for a JSON schema on models without one; its input becomes the text (T73). */
  jsonTool?: string
}

export interface WrittenRequest {
  body: JsonObject
  /** Fields of the request that the target has no word for and whose loss is harmless; told to the client. */
  dropped: string[]
  memory: Memory
  /** Headers that the body needs beside it (`anthropic-beta`); a list joins the client's own header of that name. */
  headers?: Record<string, string>
}

export interface Corrected {
  body: JsonObject
  dropped: string[]
}

/** A named fault of one provider's wire and its correction, applied before reading and after writing. */
export interface Quirk {
  name: string
  /**
   * Corrects a request body: gives a changed copy and the names of the fields it had to drop, or undefined where there
   * was nothing to correct. The body given stays as it is, for another attempt elsewhere (T84).
   */
  request?(body: JsonObject, model: string): Corrected | undefined
  /** Corrects a whole JSON answer in place. */
  reply?(body: JsonObject): void
  /** One stream's corrector, called with each parsed message in order, which it may change in place. */
  chunks?(): (chunk: JsonObject) => void
}

export interface ReadContext {
  memory: Memory
  quirks: readonly Quirk[]
}

export type { Reader, Writer } from '../stream/translator.ts'

export interface WriteContext {
  /** The model that the client asked for, for streams that never name one. */
  model: string
  includeUsage: boolean
  /** A guess for answers whose provider reports no usage, from the number of characters in the answer (T96). */
  estimate?(answered: number): Usage
}

/** The half of a dialect that speaks with a provider: pure functions, no HTTP, no provider, no store. */
export interface UpstreamDialect {
  name: DialectName
  framing: Framing
  /** @throws Unsupported naming the field that the dialect cannot express */
  writeRequest(conversation: Conversation, target: Target): WrittenRequest
  /** @throws ProviderFailure when the body is an error under HTTP 200 */
  readReply(body: unknown, context: ReadContext): Reply
  reader(context: ReadContext): Reader
  /** @param body the parsed JSON, or the text where it is none */
  readError(status: number, body: unknown, headers?: Headers): ProviderError
  /** How to read along with answers that pass unchanged, without touching them. */
  watch: Watch
}

/** How sure it is that a stream came to its own end: it said so itself, or the model did and nothing after it was due. */
export type StreamEnd = 'marked' | 'finished'

/**
 * What is looked for in an answer that passes unchanged, when it is over: in each of its messages (a whole answer is one),
 * from the last to the first. Each function is given an object of which nothing is known.
 */
export interface Watch {
  /**
   * The members that the functions below look at, for a message of which only the beginning or the end was kept. It is
   * then given as an object with no more than these at its top, wherever they stood.
   */
  members: readonly string[]
  /** How deep they stand at most: 1 is the top of a message. */
  depth: number
  /** What stands in the text of every message with usage; spares the others being parsed. */
  mention?: string
  /** The message inside a wrapper; itself where there is none. */
  open?(message: JsonObject): JsonObject
  /** The model that answered. */
  model?(message: JsonObject): string | undefined
  /** @param first the first message of a stream that named a model, for counts that are told in two places */
  usage(message: JsonObject, first?: JsonObject): Usage | undefined
  /** Whether a stream may end after this message; absent where its end cannot be told. `[DONE]` is known to all. */
  end?(message: JsonObject): StreamEnd | undefined
  /** What the headers count, where the answer itself counts nothing, and what they add where it does. */
  headers?(headers: Pick<Headers, 'get'>, usage?: Usage): Usage | undefined
}

/** The half of a dialect that speaks with a client. */
export interface ClientDialect {
  name: DialectName
  framing: Framing
  readRequest(body: JsonObject): Conversation
  writeReply(reply: Reply, context: WriteContext): JsonObject
  writer(context: WriteContext): Writer
  writeError(error: ProviderError): JsonObject
}
