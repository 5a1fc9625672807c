import type { LogExplanation } from '../schemas/management/explain.ts'
import type { StoredBody } from '../storage/records/types.ts'
import { isObject, type Json, jsonIn } from './json.ts'

/** What an answer says, in the formats that are known; of others the beginning of the text. */

const LONGEST = 400

type Answer = LogExplanation['answer']

export function answerIn(body: StoredBody | undefined): Answer {
  const nothing = { tool_calls: [], assembled: false }
  if (!body) return { ...nothing, note: 'The answer was not kept.' }
  const { text, value } = jsonIn(body)
  const assembled = body.assembled === true
  const known = isObject(value) ? said(value) : undefined
  if (known) return { ...nothing, assembled, ...known, ...(known.text !== undefined && { text: short(known.text) }) }
  return text === undefined
    ? { ...nothing, note: `${body.size} bytes that are no text.` }
    : { ...nothing, assembled, text: short(text) }
}

type Said = Omit<Partial<Answer>, 'note' | 'assembled'>

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)
const list = (value: unknown): Json[] => (Array.isArray(value) ? value.filter(isObject) : [])

function said(body: Json): Said | undefined {
  const error = errorIn(body)
  if (error !== undefined) return { error: short(error) }
  const model = textOf(body.model) ?? textOf(body.modelVersion)
  const found = ofOpenAi(body) ?? ofAnthropic(body) ?? ofGemini(body)
  return found && { ...(model !== undefined && { model }), ...found }
}

function errorIn({ error }: Json): string | undefined {
  if (isObject(error)) return textOf(error.message) ?? JSON.stringify(error)
  return textOf(error)
}

function ofOpenAi({ choices }: Json): Said | undefined {
  const [first] = list(choices)
  if (!first) return undefined
  const message = isObject(first.message) ? first.message : {}
  const calls = list(message.tool_calls).map(({ function: called }) => (isObject(called) ? called.name : undefined))
  const parts = list(message.content).map(({ text }) => text)
  return told(
    textOf(message.content) ?? textOf(message.refusal) ?? textOf(first.text),
    parts,
    calls,
    first.finish_reason,
  )
}

function ofAnthropic({ content, stop_reason }: Json): Said | undefined {
  if (!Array.isArray(content)) return undefined
  const blocks = list(content)
  const calls = blocks.filter(({ type }) => type === 'tool_use').map(({ name }) => name)
  return told(
    undefined,
    blocks.map(({ text }) => text),
    calls,
    stop_reason,
  )
}

function ofGemini({ candidates }: Json): Said | undefined {
  const [first] = list(candidates)
  if (!first) return undefined
  const parts = list(isObject(first.content) ? first.content.parts : undefined)
  const calls = parts.map(({ functionCall }) => (isObject(functionCall) ? functionCall.name : undefined))
  return told(
    undefined,
    parts.map(({ text }) => text),
    calls,
    first.finishReason,
  )
}

function told(text: string | undefined, parts: unknown[], calls: unknown[], finish: unknown): Said {
  const joined = text ?? textOf(parts.filter(part => typeof part === 'string').join(''))
  return {
    ...(joined !== undefined && { text: joined }),
    ...(typeof finish === 'string' && { finish }),
    tool_calls: calls.filter(name => typeof name === 'string'),
  }
}

const short = (text: string) => (text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text)
