import type { JsonObject } from '../../conversation/conversation.ts'
import { isObject, mergeAllOf, mergeBudget, objectsOf, resolveRef, stringsOf } from './schema-nodes.ts'

/**
 * The words of OpenAPI 3.0 that `parameters` and `responseSchema` take as they are; anything else is a 400.
 * @see https://ai.google.dev/api/caching#Schema
 */
const KEPT = [
  'title',
  'description',
  'nullable',
  'maxItems',
  'minItems',
  'minProperties',
  'maxProperties',
  'minLength',
  'maxLength',
  'pattern',
  'example',
  'default',
  'minimum',
  'maximum',
  'propertyOrdering',
]

/** AI Studio refuses any other format of a string. */
const FORMATS = ['date-time', 'enum', 'float', 'double', 'int32', 'int64']

/** More nodes than any honest schema has: references may multiply without a cycle. */
const MOST_NODES = 5_000

export interface CleanedSchema {
  schema: JsonObject
  /** The subset could not say it all: a type that holds itself, free member names, tuples, numbers in an enum, untyped values. */
  lossy: boolean
}

/**
 * A JSON Schema in the OpenAPI subset of Gemini (T50): references inlined and cycles cut, `const` an enum, `oneOf` an
 * `anyOf`, `null` in a type `nullable`, `allOf` merged, and the rest left out. `required` is never lost.
 */
export function openApiSchema(schema: JsonObject): CleanedSchema {
  const state = { lossy: false, nodes: 0 }
  const budget = mergeBudget()

  const clean = (given: unknown, open: readonly JsonObject[]): JsonObject => {
    if (!isObject(given) || ++state.nodes > MOST_NODES) {
      state.lossy = true
      return {}
    }
    if (given.$ref !== undefined) {
      const { $ref, ...beside } = given
      const target = resolveRef(schema, $ref)
      if (target && !open.includes(target)) return clean({ ...target, ...beside }, [...open, target])
      state.lossy = true
      const { description } = { ...target, ...beside }
      return {
        type: typeof target?.type === 'string' ? target.type : 'object',
        ...(description !== undefined && { description }),
      }
    }
    return cleanNode(mergeAllOf(schema, given, budget), open)
  }

  const cleanNode = (node: JsonObject, open: readonly JsonObject[]): JsonObject => {
    if (node.$ref !== undefined) return clean(node, open)
    const variants = objectsOf(node.anyOf ?? node.oneOf)
    const types = typesOf(node)
    if (node.anyOf !== undefined && node.oneOf !== undefined) state.lossy = true
    if (variants.length && !isObject(node.properties)) return union(node, variants, open)
    if (variants.length) state.lossy = true
    if (types.length > 1) {
      const { type: _, ...rest } = node
      return union(
        rest,
        types.map(type => ({ ...only(rest, type), type })),
        open,
        isNullable(node),
      )
    }
    const result: JsonObject = {}
    const type = types[0] ?? impliedType(node)
    if (type) result.type = type
    else state.lossy = true
    if (isNullable(node)) result.nullable = true
    for (const key of KEPT) if (node[key] !== undefined && node[key] !== null) result[key] = node[key]
    if (FORMATS.includes(String(node.format))) result.format = node.format
    if (result.example === undefined && Array.isArray(node.examples)) result.example = node.examples[0]
    bounds(node, result)
    values(node, result)
    if (type === 'object') members(node, result, open)
    if (type === 'array') items(node, result, open)
    return result
  }

  /** Vertex takes nothing beside an `anyOf`, so what stands there goes into each of its variants. */
  const union = (
    node: JsonObject,
    variants: JsonObject[],
    open: readonly JsonObject[],
    nullable = isNullable(node),
  ): JsonObject => {
    const real = variants.filter(variant => variant.type !== 'null' && variant.const !== null)
    const orNull = nullable || real.length < variants.length
    const { anyOf: _, oneOf: __, ...beside } = node
    const cleaned = real.map(variant => {
      const each = clean({ ...beside, ...variant }, open)
      return orNull ? { ...each, nullable: true } : each
    })
    if (!cleaned.length) state.lossy = true
    return cleaned.length > 1 ? { anyOf: cleaned } : (cleaned[0] ?? { nullable: true })
  }

  const members = (node: JsonObject, result: JsonObject, open: readonly JsonObject[]) => {
    const free = isObject(node.additionalProperties) || isObject(node.patternProperties)
    if (free || node.additionalProperties === true) state.lossy = true
    const properties = isObject(node.properties) ? node.properties : {}
    const names = Object.keys(properties)
    if (!names.length) return
    result.properties = Object.fromEntries(names.map(name => [name, clean(properties[name], open)]))
    // A name that is required but not described is refused here; the full JSON Schema can say it.
    const required = stringsOf(node.required)
    const described = required.filter(name => Object.hasOwn(properties, name))
    if (described.length < required.length) state.lossy = true
    if (described.length) result.required = described
  }

  const items = (node: JsonObject, result: JsonObject, open: readonly JsonObject[]) => {
    const tuple = objectsOf(node.prefixItems ?? node.items)
    if (tuple.length) {
      state.lossy = true
      result.items = tuple.length === 1 ? clean(tuple[0], open) : { anyOf: tuple.map(item => clean(item, open)) }
      return
    }
    // An array must say what it holds.
    const item = clean(node.items, open)
    result.items = Object.keys(item).length ? item : { type: 'string' }
  }

  /** Only strings can be enumerated; other values are told in the description. */
  const values = (node: JsonObject, result: JsonObject) => {
    const listed = Array.isArray(node.enum) ? node.enum : node.const !== undefined ? [node.const] : []
    const real = listed.filter(value => value !== null)
    if (!real.length) return
    if (real.length < listed.length) result.nullable = true
    if (result.type === 'string' && real.every(value => typeof value === 'string' && value !== '')) {
      result.enum = real
      return
    }
    state.lossy = true
    const said = `One of: ${real.map(value => JSON.stringify(value)).join(', ')}.`
    result.description = result.description ? `${result.description} ${said}` : said
  }

  return { schema: clean(schema, [schema]), lossy: state.lossy || budget.left < 0 }
}

function typesOf(node: JsonObject): string[] {
  const types = Array.isArray(node.type) ? stringsOf(node.type) : typeof node.type === 'string' ? [node.type] : []
  // Callers who know Gemini write its types in capitals.
  return types.map(type => type.toLowerCase()).filter(type => type !== 'null')
}

function isNullable(node: JsonObject): boolean {
  return node.nullable === true || (Array.isArray(node.type) && node.type.includes('null'))
}

function impliedType(node: JsonObject): string | undefined {
  if (isObject(node.properties)) return 'object'
  if (node.items !== undefined || node.prefixItems !== undefined) return 'array'
  const value = Array.isArray(node.enum) ? node.enum.find(each => each !== null) : node.const
  if (typeof value === 'string' || typeof value === 'boolean') return typeof value
  return typeof value === 'number' ? 'number' : undefined
}

/** Of a schema for several types, what concerns one of them. */
function only(node: JsonObject, type: string): JsonObject {
  const { properties, required, additionalProperties, items, prefixItems, enum: listed, ...rest } = node
  if (type === 'object')
    return { ...rest, ...(properties !== undefined && { properties, required }), additionalProperties }
  if (type === 'array') return { ...rest, items, prefixItems }
  const fitting = Array.isArray(listed)
    ? listed.filter(value => typeof value === (type === 'integer' ? 'number' : type))
    : []
  return { ...rest, ...(fitting.length > 0 && { enum: fitting }) }
}

/** The subset knows only bounds that belong to the range: for whole numbers the next one is the same bound. */
function bounds(node: JsonObject, result: JsonObject): void {
  const step = result.type === 'integer' ? 1 : 0
  const { exclusiveMinimum, exclusiveMaximum } = node
  if (typeof exclusiveMinimum === 'number') result.minimum ??= exclusiveMinimum + step
  if (typeof exclusiveMaximum === 'number') result.maximum ??= exclusiveMaximum - step
}
