import type { JsonObject } from '../../conversation/conversation.ts'

export const isObject = (value: unknown): value is JsonObject =>
  value !== null && typeof value === 'object' && !Array.isArray(value)

export const objectsOf = (value: unknown): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : [])

export const stringsOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter(item => typeof item === 'string') : []

/** What a `$ref` within the document points to; undefined where it points outside or to nothing. */
export function resolveRef(root: JsonObject, ref: unknown): JsonObject | undefined {
  if (typeof ref !== 'string' || !ref.startsWith('#')) return undefined
  let at: unknown = root
  for (const step of ref.slice(1).split('/').filter(Boolean)) {
    if (at === null || typeof at !== 'object') return undefined
    at = (at as JsonObject)[decodePointer(step)]
  }
  return isObject(at) ? at : undefined
}

function decodePointer(step: string): string {
  let plain = step
  try {
    plain = decodeURIComponent(step)
  } catch {
    // A stray percent sign is part of the name.
  }
  return plain.replaceAll('~1', '/').replaceAll('~0', '~')
}

/** How much may still be merged in one schema: references in `allOf` can multiply without end. */
export interface MergeBudget {
  left: number
}

/** Far more than any honest schema needs. */
export const mergeBudget = (): MergeBudget => ({ left: 1_000 })

/**
 * A schema with what its `allOf` joins taken into it: properties and required add up, for the rest the outer schema and
 * then the first part win. A lone reference stays one, so that what refers to itself goes on doing so.
 */
export function mergeAllOf(root: JsonObject, node: JsonObject, budget: MergeBudget): JsonObject {
  if (!Array.isArray(node.allOf)) return node
  const { allOf, ...own } = node
  const parts = objectsOf(allOf)
  const alone = parts.length === 1 && !isObject(own.properties)
  const merged: JsonObject = {}
  const properties: JsonObject = {}
  const required: string[] = []
  for (const part of [own, ...parts]) {
    if (budget.left-- <= 0) break
    const target = alone ? undefined : resolveRef(root, part.$ref)
    const { $ref, ...beside } = part
    const whole = mergeAllOf(root, target ? { ...target, ...beside } : part, budget)
    for (const key in whole) if (!(key in merged)) merged[key] = whole[key]
    if (isObject(whole.properties)) for (const name in whole.properties) properties[name] ??= whole.properties[name]
    required.push(...stringsOf(whole.required))
  }
  if (Object.keys(properties).length) merged.properties = properties
  if (required.length) merged.required = [...new Set(required)]
  return merged
}
