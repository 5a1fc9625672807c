import { Sum } from './money.ts'
import { type Price, type Rates, ratesFor } from './price.ts'
import type { PromptBound } from './prompt-bound.ts'

/** Tokens that an answer is taken to have at most when the request sets no limit. */
const DEFAULT_OUTPUT = 4_096
/** The longest prompt that any model takes, where the list does not know. */
const LONGEST_PROMPT = 2_097_152

export interface AnswerBound {
  /** The request's own limit of tokens for one answer. */
  maxTokens?: number
  /** How many answers, or images, it asks for. */
  answers?: number
}

/**
 * What a request may cost at most, in picodollars, to be reserved before the call and settled after it: the prompt at the
 * dearest rate of its kind, never more than the model takes, and answers as long as they may be. What a request does not
 * show is not in it: files and images that it names by address, searches of the provider's own, and answers longer than
 * 4,096 tokens that nobody limited.
 */
export function estimateUpperBound(prompt: PromptBound, answer: AnswerBound, price: Price): number {
  const longest = price.contextWindow ?? LONGEST_PROMPT
  const media = Math.min(prompt.media, longest)
  const text = Math.min(prompt.text, longest - media)
  // The rates of long prompts are the dearer ones, so that a bound above the truth errs on the safe side.
  const rates = ratesFor(price, text + media)
  const answers = answer.answers ?? 1
  const sum = new Sum()
  if (!price.flat) {
    const textRate = promptRate(rates, prompt.hour)
    sum.add(text, textRate)
    sum.add(media, Math.max(textRate, rates.audioInput ?? 0, rates.imageInput ?? 0, rates.videoInput ?? 0))
    sum.add((answer.maxTokens ?? DEFAULT_OUTPUT) * answers, answerRate(rates))
  }
  if (rates.request !== undefined) sum.add(1, rates.request)
  if (rates.image !== undefined) sum.add(answers, rates.image)
  return sum.pico
}

function promptRate({ input = 0, cacheWrite = 0, cacheWrite1h = 0 }: Rates, hour: boolean): number {
  return Math.max(input, cacheWrite, hour ? cacheWrite1h : 0)
}

function answerRate({ output = 0, reasoning = 0, audioOutput = 0, imageOutput = 0, videoOutput = 0 }: Rates): number {
  return Math.max(output, reasoning, audioOutput, imageOutput, videoOutput)
}
