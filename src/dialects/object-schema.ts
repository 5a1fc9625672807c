import type { JsonObject } from '../conversation/conversation.ts'

/** JSON Schemas for targets that want an object at the root (Anthropic, Converse) or closed objects everywhere. */

const isObject = (value: unknown): value is JsonObject =>
  value !== null && typeof value === 'object' && !Array.isArray(value)

function resolve(root: JsonObject, ref: unknown): JsonObject | undefined {
  if (typeof ref !== 'string' || !ref.startsWith('#')) return undefined
  let at: unknown = root
  for (const step of ref.slice(1).split('/').filter(Boolean)) {
    if (!isObject(at)) return undefined
    at = at[decodeURIComponent(step).replace(/~1/g, '/').replace(/~0/g, '~')]
  }
  return isObject(at) ? at : undefined
}

const names = (value: unknown): string[] => (Array.isArray(value) ? value.filter(item => typeof item === 'string') : [])

/**
 * The variants of a union at the root as one object: every property of any of them, required only where every variant
 * (of `allOf`: any of them) requires it. Anthropic and Converse take no union there.
 */
function joinVariants(root: JsonObject, kind: 'anyOf' | 'oneOf' | 'allOf'): JsonObject {
  const { [kind]: list, ...rest } = root
  const variants = (Array.isArray(list) ? list : [])
    .map(variant => (isObject(variant) ? (resolve(root, variant.$ref) ?? variant) : {}))
    .filter(variant => variant.type !== 'null')
  const properties: JsonObject = {}
  for (const variant of variants) if (isObject(variant.properties)) Object.assign(properties, variant.properties)
  if (isObject(rest.properties)) Object.assign(properties, rest.properties)
  const wanted = variants.map(variant => names(variant.required))
  const shared =
    kind === 'allOf' ? wanted.flat() : (wanted[0] ?? []).filter(name => wanted.every(list => list.includes(name)))
  const required = [...new Set([...names(rest.required), ...shared])]
  return { ...rest, properties, ...(required.length > 0 && { required }) }
}

/**
 * The schema of a tool's arguments with an object at its root, all else as the caller wrote it. A schema of another
 * type is left for the provider to refuse.
 */
export function objectRoot(schema: JsonObject | undefined): JsonObject {
  if (!schema) return { type: 'object', properties: {} }
  let root = schema
  for (let depth = 0; depth < 8; depth++) {
    const target = resolve(root, root.$ref)
    if (!target) break
    const { $ref: _, ...rest } = root
    root = { ...rest, ...target }
  }
  for (const kind of ['anyOf', 'oneOf', 'allOf'] as const) if (root[kind] !== undefined) root = joinVariants(root, kind)
  if (root.type === undefined || root.type === null || (Array.isArray(root.type) && root.type.includes('object')))
    root = { ...root, type: 'object' }
  return root
}

/** Keywords that Claude's structured outputs obey; the rest becomes a sentence of the description. */
const OBEYED = new Set(
  '$schema $id $ref $defs definitions type properties required items additionalProperties anyOf oneOf allOf description title default enum const nullable'.split(
    ' ',
  ),
)
const FORMATS = new Set('date-time time date duration email hostname uri ipv4 ipv6 uuid'.split(' '))

/**
 * A schema for `output_config.format`, which wants every object closed and refuses bounds on numbers, lengths and
 * patterns: those are told to the model in the description, as Anthropic's own SDKs do (T50).
 * @see https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations
 */
export function closedSchema(node: JsonObject): JsonObject {
  const result: JsonObject = {}
  const told: string[] = []
  for (const [key, value] of Object.entries(node)) {
    if (key === 'properties' || key === '$defs' || key === 'definitions') result[key] = mapValues(value)
    else if (key === 'anyOf' || key === 'oneOf' || key === 'allOf')
      result[key === 'oneOf' ? 'anyOf' : key] = Array.isArray(value) ? value.map(closedValue) : value
    else if (key === 'items') result.items = closedValue(value)
    else if (OBEYED.has(key)) result[key] = value
    else if (key === 'format' && FORMATS.has(String(value))) result.format = value
    else if (key === 'minItems' && (value === 0 || value === 1)) result.minItems = value
    else told.push(`${key}: ${JSON.stringify(value)}`)
  }
  if (isObject(result.properties)) result.additionalProperties = false
  if (told.length) {
    const said = typeof node.description === 'string' ? `${node.description} ` : ''
    result.description = `${said}(${told.join(', ')})`
  }
  return result
}

const closedValue = (value: unknown) => (isObject(value) ? closedSchema(value) : value)
const mapValues = (value: unknown) =>
  isObject(value) ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, closedValue(inner)])) : value

/**
 * Whether {@link closedSchema} keeps the schema's meaning: there are no objects with names of the model's own choice,
 * and no type that holds itself.
 */
export function canBeClosed(schema: JsonObject): boolean {
  const walk = (node: unknown, open: readonly unknown[]): boolean => {
    if (Array.isArray(node)) return node.every(item => walk(item, open))
    if (!isObject(node)) return true
    if (open.includes(node)) return false
    const path = [...open, node]
    if (node.additionalProperties === true || isObject(node.additionalProperties)) return false
    if (isObject(node.patternProperties)) return false
    const composed = ['$ref', 'anyOf', 'oneOf', 'allOf'].some(key => node[key] !== undefined)
    if (node.type === 'object' && !isObject(node.properties) && !composed) return false
    if (node.$ref !== undefined) {
      const target = resolve(schema, node.$ref)
      if (!target || !walk(target, path)) return false
    }
    const properties = isObject(node.properties) ? Object.values(node.properties) : []
    return walk([...properties, node.items, node.anyOf, node.oneOf, node.allOf], path)
  }
  return walk(schema, [])
}
