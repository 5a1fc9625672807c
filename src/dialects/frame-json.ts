import type { JsonObject } from '../conversation/conversation.ts'
import type { Event } from '../conversation/events.ts'
import type { Frame } from '../stream/frame.ts'
import type { ReadContext } from './dialect.ts'

/** What a reader says about a frame that is not JSON, or half a JSON. */
export const notJson = (): Event => ({
  type: 'error',
  error: { status: 502, message: 'the provider sent a frame that is not JSON', type: 'server_error' },
})

/**
 * Makes one stream's parser of frames, which applies the quirks to each object.
 * @returns the object; undefined where the data is not JSON; an empty object for JSON that is no object
 */
export function frameParser(context: ReadContext): (frame: Frame) => JsonObject | undefined {
  const corrections = context.quirks.flatMap(quirk => (quirk.chunks ? [quirk.chunks()] : []))
  return frame => {
    let value: unknown
    try {
      value = JSON.parse(frame.data)
    } catch {
      return undefined
    }
    if (!value || typeof value !== 'object' || Array.isArray(value)) return {}
    for (const correct of corrections) correct(value as JsonObject)
    return value as JsonObject
  }
}
