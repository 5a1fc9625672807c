import type { Reading } from './positions.ts'
import { pointerOf } from './positions.ts'
import { alternativeFor, isChoice, isObject, memberOf, type Shape } from './shape.ts'

const truths: Record<string, boolean> = {
  true: true,
  yes: true,
  on: true,
  '1': true,
  false: false,
  no: false,
  off: false,
  '0': false,
}

const allowsNull = (shape: Shape): boolean => shape.type === 'null' || (shape.anyOf?.some(allowsNull) ?? false)

/**
 * Makes of each value what the schema wants there, where nothing is lost by it: a text that came from a reference
 * becomes a number, true or false (`port: ${PORT}`); a number where a text is wanted becomes the text as it was
 * written (`token: 00123`); a key with nothing after it counts as left out. Everything else stays, for the schema
 * to judge. The value is changed in place.
 */
export function fit(shape: Shape, value: unknown, pointer: string, reading: Reading): unknown {
  if (value === null) return allowsNull(shape) ? null : undefined
  const one = alternativeFor(shape, value)
  const origin = reading.origins.get(pointer)
  if (typeof value === 'string' && origin?.references.length && !isChoice(one)) {
    const word = value.trim()
    if (word === 'null' && allowsNull(shape)) return null
    if ((one.type === 'integer' || one.type === 'number') && /^-?\d+(?:\.\d+)?$/.test(word)) return Number(word)
    if (one.type === 'boolean') return truths[word.toLowerCase()] ?? value
  }
  if (typeof value === 'number' && one.type === 'string' && origin) return origin.source
  if (Array.isArray(value) && one.items) {
    for (const [index, item] of value.entries()) {
      // What a reference failed to fill keeps its place, so that the others keep their numbers.
      if (item !== undefined) value[index] = fit(one.items, item, `${pointer}/${index}`, reading) ?? item
    }
  } else if (isObject(value)) {
    for (const name of Object.keys(value)) {
      const below = one.properties?.[name] ?? memberOf(one)
      if (!below) continue
      const fitted = fit(below, value[name], `${pointer}${pointerOf([name])}`, reading)
      if (fitted === undefined) delete value[name]
      else value[name] = fitted
    }
  }
  return value
}
