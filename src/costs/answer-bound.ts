import type { AnswerBound } from './reserve.ts'

type Body = Readonly<Record<string, unknown>>

/** The names of the limit in the formats of chat and text, the first that is there counts. */
const LIMITS = [
  'max_completion_tokens',
  'max_tokens',
  'max_output_tokens',
  'max_tokens_to_sample',
  'maxTokens',
] as const
/** Where the formats that have them keep settings of generation: Gemini, Converse, Ollama. */
const SETTINGS = ['generationConfig', 'generation_config', 'inferenceConfig', 'options'] as const
const INNER = ['maxOutputTokens', 'max_output_tokens', 'maxTokens', 'num_predict'] as const

/** How long the answers may be that a request asks for, and how many, whatever its format. */
export function answerBound(body: Body | undefined): AnswerBound {
  const bound: AnswerBound = {}
  if (!body) return bound
  const settings = settingsOf(body)
  const maxTokens = first(body, LIMITS) ?? (settings && first(settings, INNER))
  const answers = countOf(body.n) ?? (settings && countOf(settings.candidateCount))
  if (maxTokens !== undefined) bound.maxTokens = maxTokens
  if (answers !== undefined) bound.answers = answers
  return bound
}

function settingsOf(body: Body): Body | undefined {
  for (let at = 0; at < SETTINGS.length; at++) {
    const settings = body[SETTINGS[at]!]
    if (isObject(settings)) return settings
  }
  return undefined
}

function first(body: Body, names: readonly string[]): number | undefined {
  for (let at = 0; at < names.length; at++) {
    const count = countOf(body[names[at]!])
    if (count !== undefined) return count
  }
  return undefined
}

/** Nobody is held to a limit that no provider takes. */
const MOST = 10_000_000

const countOf = (value: unknown): number | undefined =>
  typeof value === 'number' && value >= 0 && value <= MOST ? Math.ceil(value) : undefined

const isObject = (value: unknown): value is Body => typeof value === 'object' && value !== null && !Array.isArray(value)
