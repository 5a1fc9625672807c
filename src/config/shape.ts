import type { TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'

/** A TypeBox schema as the JSON Schema that it also is, as far as the file's schema uses it. */
export interface Shape {
  type?: string
  const?: unknown
  anyOf?: Shape[]
  properties?: Record<string, Shape>
  patternProperties?: Record<string, Shape>
  additionalProperties?: boolean | Shape
  required?: string[]
  items?: Shape
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  minItems?: number
  maxItems?: number
  pattern?: string
  /** Our own keyword: the words for a rule that is a pattern. */
  expected?: string
  [annotation: string]: unknown
}

export const shapeOf = (schema: TSchema): Shape => schema as unknown as Shape

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Whether it is a choice between words. */
export const isChoice = (shape: Shape): boolean =>
  shape.const !== undefined ||
  (shape.anyOf?.every(one => one.const !== undefined || one.type === 'null' || isChoice(one)) ?? false)

/** The words of a choice. */
export const wordsOf = (shape: Shape): string[] =>
  shape.const === undefined ? (shape.anyOf ?? []).flatMap(wordsOf) : [String(shape.const)]

/** The values of a mapping whose keys are free. */
export const memberOf = (shape: Shape): Shape | undefined => Object.values(shape.patternProperties ?? {})[0]

/** Which of several mappings is meant, where one member's word tells them apart: the `type` of an action. */
export interface Kind {
  /** Of the member. */
  name: string
  words: string[]
  /** The one whose word it is; nothing where it is none of them. */
  alternative?: Shape
}

/** @returns nothing where the alternatives are not told apart by a word */
export function kindOf({ anyOf = [] }: Shape, value: Record<string, unknown>): Kind | undefined {
  const mappings = anyOf.filter(one => one.type === 'object')
  if (mappings.length < 2) return undefined
  const name = mappings[0]!.required?.find(name =>
    mappings.every(one => one.required?.includes(name) && typeof one.properties?.[name]?.const === 'string'),
  )
  if (name === undefined) return undefined
  const words = mappings.map(one => String(one.properties![name]!.const))
  const alternative = mappings[words.indexOf(String(value[name]))]
  return { name, words, ...(alternative && { alternative }) }
}

const typeOf = (value: unknown) => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value)

/** The alternative that a writer most likely meant: of the value's kind, and of those the one with the fewest faults. */
export function alternativeFor(shape: Shape, value: unknown): Shape {
  if (!shape.anyOf || isChoice(shape)) return shape
  const some = shape.anyOf.filter(one => one.type !== 'null')
  if (some.length === 1) return alternativeFor(some[0]!, value)
  const alike = some.filter(one => one.type === typeOf(value))
  const [first, ...others] = alike.length ? alike : some
  let best = first!
  if (others.length) {
    const faults = (one: Shape) => [...Value.Errors(one as unknown as TSchema, value)].length
    let fewest = faults(best)
    for (const other of others) {
      const count = faults(other)
      if (count < fewest) {
        best = other
        fewest = count
      }
    }
  }
  return best
}
