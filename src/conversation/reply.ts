import type { Part } from './parts.ts'

/** Why the model stopped. `error` means that the provider says it failed; it must never look like success. */
export type Finish = 'stop' | 'length' | 'tool-calls' | 'content-filter' | 'function-call' | 'error'

/** Tokens in OpenAI's convention: `input` counts what was read from or written to a cache too, `output` counts reasoning. */
export interface Usage {
  input: number
  output: number
  cacheRead?: number
  /** All tokens written to the prompt cache, whatever their time to live. */
  cacheWrite?: number
  /** The part of `cacheWrite` that is kept for an hour (T93). */
  cacheWrite1h?: number
  reasoning?: number
  /** Tokens of sound, pictures and film, as parts of `input` and `output`; those read from a cache are counted here too. */
  audioInput?: number
  audioOutput?: number
  imageInput?: number
  imageOutput?: number
  videoInput?: number
  videoOutput?: number
  /** The parts of `cacheRead` that are sound and pictures. */
  audioCacheRead?: number
  imageCacheRead?: number
  /** The part of `output` that quotes sources, where a provider charges it apart (Perplexity). */
  citation?: number
  /** What the provider says that it charges, where that is not what was read and written (Cohere leaves its preamble out). */
  billedInput?: number
  billedOutput?: number
  /** Searches that the provider's own tools made, and documents ranked, as it charges them. */
  webSearches?: number
  fileSearches?: number
  rerankSearches?: number
  /** Seconds of sound that were transcribed or spoken, with decimals. */
  seconds?: number
  /** Characters that were spoken. */
  characters?: number
  /** Images that were made, where they are charged by the piece. */
  images?: number
  /** Pages that were read, and how many of them with annotations. */
  pages?: number
  annotatedPages?: number
  /** The service tier that served the request, in the provider's own word, where `native` does not hold it. */
  tier?: string
  source: 'reported' | 'estimated'
  /** Members of the provider's own usage object that are worth keeping and have no name here (cost, timings, …). */
  native?: Record<string, unknown>
}

/** Log probabilities of a choice, in OpenAI's shape, which is the only one in use. */
export interface Logprobs {
  content?: unknown[] | null
  refusal?: unknown[] | null
}

export interface Choice {
  index: number
  parts: Part[]
  finish: Finish
  /** The provider's own word for it. */
  nativeFinish?: string
  logprobs?: Logprobs
  /** What the provider said beside the message that the neutral form has no word for. */
  unknown?: Record<string, unknown>
  /** The same for members of the message itself. */
  unknownMessage?: Record<string, unknown>
}

/** A whole answer in the neutral form. */
export interface Reply {
  id?: string
  model?: string
  /** Seconds since 1970. */
  created?: number
  choices: Choice[]
  usage?: Usage
  /** Members of the answer's top level that the neutral form has no word for. */
  unknown?: Record<string, unknown>
}
