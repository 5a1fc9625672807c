import type { Finish } from '../../conversation/reply.ts'

/** What a candidate has shown before it stopped. */
export interface Shown {
  /** A function call of the caller's own tools. */
  calls: boolean
  /** Any text, picture or other part. */
  content: boolean
}

/** Reasons that withhold the answer; the picture-making models repeat them with `IMAGE_` in front. */
const WITHHELD = /^(?:IMAGE_)?(?:SAFETY|RECITATION|PROHIBITED_CONTENT|BLOCKLIST|SPII|MODEL_ARMOR|JAILBREAK)$/

/** Reasons that say the model's output was not usable; the answer is no answer, unless a call came through whole (T51). */
const BROKEN = new Set([
  'MALFORMED_FUNCTION_CALL',
  'UNEXPECTED_TOOL_CALL',
  'TOO_MANY_TOOL_CALLS',
  'MISSING_THOUGHT_SIGNATURE',
  'MALFORMED_RESPONSE',
])

/**
 * Why a candidate stopped. STOP is the word for calls too, so their presence decides (T42, T43).
 *
 * `OTHER`, `LANGUAGE`, `NO_IMAGE` and words that are new here end an answer that has content, and are a failure where
 * there is none: an empty answer that looks like success helps nobody.
 * @see https://ai.google.dev/api/generate-content#FinishReason
 */
export function readFinish(reason: string, shown: Shown): Finish {
  if (reason === 'MAX_TOKENS') return 'length'
  if (WITHHELD.test(reason)) return 'content-filter'
  if (shown.calls) return 'tool-calls'
  if (reason === 'STOP') return 'stop'
  return BROKEN.has(reason) || !shown.content ? 'error' : 'stop'
}
