import type { TSchema } from '@sinclair/typebox'
import { Value, type ValueError, ValueErrorType } from '@sinclair/typebox/value'
import { dotted, type Position, pointerOf, type Reading, stepsOf } from './positions.ts'
import { found, isSecret, type Problem } from './problems.ts'
import { alternativeFor, isChoice, isObject, kindOf, memberOf, type Shape, shapeOf, wordsOf } from './shape.ts'
import { either, hint, nearest } from './suggest.ts'

const quoted = (words: readonly string[]) => words.map(word => JSON.stringify(word))

const plural = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`

/** `an integer of at least 0`, `an integer from 0 to 65535` */
function bounded(noun: string, from: number | undefined, to: number | undefined): string {
  if (from !== undefined && to !== undefined) return `${noun} from ${from} to ${to}`
  if (from !== undefined) return `${noun} of at least ${from}`
  return to === undefined ? noun : `${noun} of at most ${to}`
}

/** What a place of the file wants, in words. */
export function wanted(shape: Shape): string {
  if (isChoice(shape)) return either(quoted(wordsOf(shape)))
  if (shape.anyOf) return either([...new Set(shape.anyOf.filter(one => one.type !== 'null').map(wanted))])
  switch (shape.type) {
    case 'integer':
      return bounded('an integer', shape.minimum, shape.maximum)
    case 'number':
      return bounded('a number', shape.minimum, shape.maximum)
    case 'boolean':
      return 'true or false'
    case 'array': {
      if (shape.maxItems !== undefined) return `a list of at most ${plural(shape.maxItems, 'item')}`
      return shape.minItems ? `a list of at least ${plural(shape.minItems, 'item')}` : 'a list'
    }
    case 'object':
      return 'a mapping'
    case 'string':
      if (shape.expected) return shape.expected
      if (shape.minLength === 1 && shape.maxLength === undefined) return 'a string that is not empty'
      if (shape.minLength === undefined && shape.maxLength === undefined) return 'a string'
      return `a string of ${shape.minLength ?? 0} to ${shape.maxLength ?? 'any number of'} characters`
    default:
      return 'something else'
  }
}

/** What a misspelt key could have been, or where it belongs, or which keys there are. */
function adviceOnKey(name: string, shape: Shape, root: Shape): string {
  const known = Object.keys(shape.properties ?? {})
  const near = hint(name, known)
  if (near) return near
  if (shape === root) {
    const sections = Object.entries(root.properties ?? {})
    const owner = sections.find(([, section]) => section.properties?.[name])
    if (owner) return `; it belongs under ${JSON.stringify(owner[0])}`
  }
  return known.length && known.length <= 12 ? `; known here: ${known.join(', ')}` : ''
}

/** Turns the schema's findings into problems that a person can act on. */
export function schemaFaults(schema: TSchema, value: unknown, reading: Reading): Problem[] {
  const root = shapeOf(schema)
  const problems: Problem[] = []
  const reported = new Set<string>()

  const report = (pointer: string, place: Position | undefined, message: string) => {
    if (reported.has(pointer)) return
    reported.add(pointer)
    problems.push({ ...place, path: dotted(pointer), message })
  }

  /** What stands there; a value that came from a reference may be secret, so only the reference is named. */
  const foundAt = (pointer: string, here: unknown): string => {
    const references = reading.origins.get(pointer)?.references ?? []
    const kind = found(here, references.length > 0 || isSecret(stepsOf(pointer)))
    return references.length ? `${kind} from ${[...new Set(references)].join(' and ')}` : kind
  }

  const unknownKey = (pointer: string, shape: Shape) => {
    const steps = stepsOf(pointer)
    const name = steps.at(-1) ?? ''
    const parent = pointer.slice(0, pointer.lastIndexOf('/'))
    const secret = isSecret(steps.slice(0, -1))
    const shown = secret ? '' : ` ${JSON.stringify(name)}`
    const place = reading.keyAt(pointer)
    if (memberOf(shape))
      report(pointer, place, `expected ${shape.expected ?? 'another name'}, found${shown || ' something else'}`)
    else if (secret && nearest(name, Object.keys(shape.properties ?? {})) === undefined) {
      // Where secrets are written, a strange key may be one that has slipped; it is not repeated, in the path neither.
      const known = Object.keys(shape.properties ?? {}).join(', ')
      problems.push({ ...place, path: dotted(parent), message: `unknown key; known here: ${known}` })
    } else report(pointer, place, `unknown key ${JSON.stringify(name)}${adviceOnKey(name, shape, root)}`)
  }

  const missing = (pointer: string) => {
    const name = stepsOf(pointer).at(-1) ?? ''
    const parent = pointer.slice(0, pointer.lastIndexOf('/'))
    if (reading.emptied.has(pointer)) {
      report(pointer, reading.at(pointer), `expected a string that is not empty, found ${foundAt(pointer, '')}`)
      return
    }
    reported.add(pointer)
    problems.push({
      ...reading.at(parent),
      path: dotted(parent),
      message: `the key ${JSON.stringify(name)} is missing`,
    })
  }

  const misspelt = (pointer: string, words: readonly string[], here: unknown) => {
    const near = typeof here === 'string' && !isSecret(stepsOf(pointer)) ? hint(here, words) : ''
    report(pointer, reading.at(pointer), `expected ${either(quoted(words))}, found ${foundAt(pointer, here)}${near}`)
  }

  const visit = (error: ValueError, prefix: string) => {
    const pointer = `${prefix}${error.path}`
    const shape = shapeOf(error.schema)
    if (reading.unresolved.has(pointer) || reported.has(pointer)) return
    switch (error.type) {
      case ValueErrorType.ObjectAdditionalProperties:
        return unknownKey(pointer, shape)
      case ValueErrorType.ObjectRequiredProperty:
        return missing(pointer)
      case ValueErrorType.Union: {
        const kind = isObject(error.value) ? kindOf(shape, error.value) : undefined
        if (kind && !kind.alternative) {
          const below = `${pointer}${pointerOf([kind.name])}`
          if (!(kind.name in (error.value as object))) return missing(below)
          return misspelt(below, kind.words, (error.value as Record<string, unknown>)[kind.name])
        }
        const one = kind?.alternative ?? alternativeFor(shape, error.value)
        const alike = isObject(error.value) ? one.type === 'object' : Array.isArray(error.value) && one.type === 'array'
        if (one !== shape && alike) {
          for (const inner of Value.Errors(one as unknown as TSchema, error.value)) visit(inner, pointer)
          return
        }
      }
    }
    const here = reading.emptied.has(pointer) ? '' : error.value
    if (isChoice(shape)) return misspelt(pointer, wordsOf(shape), here)
    report(pointer, reading.at(pointer), `expected ${wanted(simple(shape))}, found ${foundAt(pointer, here)}`)
  }

  for (const error of Value.Errors(schema, value)) visit(error, '')
  return problems
}

/** A setting that may be null is spoken of as the setting; a choice of one is no choice. */
function simple(shape: Shape): Shape {
  const some = shape.anyOf?.filter(one => one.type !== 'null')
  return some?.length === 1 ? some[0]! : shape
}
