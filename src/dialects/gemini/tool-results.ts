import type { JsonObject } from '../../conversation/conversation.ts'

/** Words of a response to which Gemini gives a meaning of its own. */
const MEANINGFUL = ['output', 'error', 'result']

/** Longer numbers do not survive JSON.parse. */
const LONG_NUMBER = /\d{16}/

/**
 * What a tool said as the object that `functionResponse` wants. An object goes as it is; text and other values are
 * wrapped as `result`, and so is an object that could be taken for such a wrapping, so that the model sees all of it.
 * @see https://ai.google.dev/api/caching#FunctionResponse
 */
export function functionResponse(text: string, failed = false): JsonObject {
  if (failed) return { error: text }
  const object = LONG_NUMBER.test(text) ? undefined : parsed(text)
  if (!object) return { result: text }
  const names = Object.keys(object)
  const wrapping = names.length < 2 && (!names.length || typeof object[names[0]!] === 'string')
  return wrapping || names.some(name => MEANINGFUL.includes(name)) ? { result: object } : object
}

function parsed(text: string): JsonObject | undefined {
  if (!text.trimStart().startsWith('{')) return undefined
  try {
    return JSON.parse(text) as JsonObject
  } catch {
    return undefined
  }
}
