import type { StoredBody } from '../storage/records/types.ts'

export type Json = Record<string, unknown>

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const decoder = new TextDecoder('utf-8', { fatal: true })

/** @returns the text and what it says as JSON, as far as there is such a thing */
export function jsonIn({ bytes }: StoredBody): { text?: string; value?: unknown } {
  let text: string
  try {
    text = decoder.decode(bytes)
  } catch {
    return {}
  }
  try {
    return { text, value: JSON.parse(text) as unknown }
  } catch {
    return { text }
  }
}
