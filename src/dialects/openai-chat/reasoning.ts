import type { JsonObject } from '../../conversation/conversation.ts'
import type { ReasoningFormat, ReasoningPart } from '../../conversation/parts.ts'
import type { ReasoningDetail } from './types.ts'

/**
 * Reasoning that must come back in the next turn travels in `reasoning_details`, in the shape that OpenRouter made
 * common: `reasoning.text` with a signature, `reasoning.encrypted` with data.
 * @see https://openrouter.ai/docs/use-cases/reasoning-tokens
 */
const FORMATS: Record<string, ReasoningFormat> = {
  'anthropic-claude-v1': 'anthropic',
  'bedrock-converse-v1': 'bedrock',
  'google-gemini-v1': 'google',
  'openai-responses-v1': 'openai',
}
const NAMES = Object.fromEntries(Object.entries(FORMATS).map(([name, format]) => [format, name]))

export function readDetail(detail: ReasoningDetail): ReasoningPart {
  return {
    type: 'reasoning',
    text: detail.text ?? detail.summary ?? '',
    ...(detail.signature && { signature: detail.signature }),
    ...(detail.data && { redacted: detail.data }),
    format: FORMATS[detail.format ?? ''] ?? 'unknown',
    native: detail,
  }
}

/** Joins the fragments that a client gathered from a stream: entries of one kind and index that follow each other. */
export function readDetails(details: readonly ReasoningDetail[]): ReasoningPart[] {
  const joined: ReasoningDetail[] = []
  for (const detail of details) {
    const last = joined.at(-1)
    const goesOn =
      last &&
      detail.index !== undefined &&
      last.index === detail.index &&
      last.type === detail.type &&
      !last.signature &&
      !detail.data
    if (!goesOn) joined.push({ ...detail })
    else {
      const text = (last.text ?? last.summary ?? '') + (detail.text ?? detail.summary ?? '')
      Object.assign(last, detail, last.type === 'reasoning.summary' ? { summary: text } : { text })
    }
  }
  return joined.map(readDetail)
}

/** The entry for a reasoning part, where it holds anything that must come back; undefined for plain reasoning text. */
export function writeDetail(part: Omit<ReasoningPart, 'type'>, index: number): JsonObject | undefined {
  if (part.native && typeof part.native === 'object') {
    const native = part.native as JsonObject
    if (native.type === 'reasoning.text') return { ...native, text: part.text }
    return native.type === 'reasoning.summary' ? { ...native, summary: part.text } : native
  }
  const format = { format: NAMES[part.format ?? 'unknown'] ?? 'unknown', index }
  if (part.redacted !== undefined) return { type: 'reasoning.encrypted', data: part.redacted, ...format }
  if (part.signature !== undefined)
    return { type: 'reasoning.text', text: part.text, signature: part.signature, ...format }
  return undefined
}
