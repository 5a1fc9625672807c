/**
 * Turns TypeBox schemas into the JSON Schema of an OpenAPI document: schemas with an `$id` become named components,
 * and what TypeBox writes in a roundabout way is written the way that generators of clients read best.
 */

type Json = Record<string, unknown>

/** Members that mean something to us alone (see schemas/open.ts). */
const OURS = new Set(['$id', 'x-form', 'x-other', 'expected'])

/** Members that hold values, not schemas: they stay as they are. */
const DATA = new Set(['example', 'examples', 'default', 'enum'])

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The members of a union, with those of nameless unions inside it. */
function members(union: Json[]): Json[] {
  return union.flatMap(each => (Array.isArray(each.anyOf) && !each.$id ? members(each.anyOf as Json[]) : [each]))
}

/** The literal that an object's member must be, where it is one. */
function literal(schema: Json, member: string): unknown {
  const properties = schema.properties as Record<string, Json> | undefined
  return properties?.[member]?.const
}

/** The member by which all these objects differ, with the component of each of its values. */
function discriminator(objects: Json[]): Json | undefined {
  if (objects.length < 2 || objects.some(each => typeof each.$id !== 'string')) return undefined
  for (const propertyName of ['role', 'type']) {
    const values = objects.map(each => literal(each, propertyName))
    if (values.every(value => typeof value === 'string') && new Set(values).size === values.length) {
      const mapping = Object.fromEntries(values.map((value, at) => [value, `#/components/schemas/${objects[at]!.$id}`]))
      return { propertyName, mapping }
    }
  }
  return undefined
}

function union(schema: Json, components: Record<string, Json>): Json {
  const { anyOf, ...rest } = schema
  // `x-other` stands for kinds that are only passed on (see schemas/open.ts).
  const all = members(anyOf as Json[]).filter(each => each['x-other'] !== true)
  const constants = all.filter(each => typeof each.const === 'string' && !each.$id)
  const others = all.filter(each => !constants.includes(each))
  const words = constants.map(each => each.const)
  const choices = words.length > 1 ? [{ type: 'string', enum: words }, ...others] : [...constants, ...others]
  if (choices.length === 1) return { ...convertObject(choices[0]!, components), ...convertObject(rest, components) }
  const tag = discriminator(choices)
  const converted = choices.map(each => toJsonSchema(each, components))
  return {
    ...convertObject(rest, components),
    ...(tag ? { oneOf: converted, discriminator: tag } : { anyOf: converted }),
  }
}

function convertObject(value: Json, components: Record<string, Json>): Json {
  const converted: Json = {}
  for (const [key, member] of Object.entries(value)) {
    if (OURS.has(key) || member === undefined) continue
    if (DATA.has(key)) {
      converted[key] = member
      continue
    }
    // TypeBox writes a record with keys of any text as a pattern.
    const patterns = key === 'patternProperties' && isObject(member) ? Object.values(member) : []
    if (patterns.length === 1) converted.additionalProperties = toJsonSchema(patterns[0], components)
    else converted[key] = toJsonSchema(member, components)
  }
  return converted
}

/**
 * Converts a value that holds schemas anywhere in it.
 *
 * @param value any part of an operation; it stays as it is
 * @param components receives each schema with an `$id`, by that name; in its place stands a reference
 * @returns plain JSON
 */
export function toJsonSchema(value: unknown, components: Record<string, Json>): unknown {
  if (Array.isArray(value)) return value.map(each => toJsonSchema(each, components))
  if (!isObject(value)) return value
  const convert = (schema: Json) =>
    Array.isArray(schema.anyOf) ? union(schema, components) : convertObject(schema, components)
  const name = value.$id
  if (typeof name !== 'string') return convert(value)
  if (!components[name]) {
    // The place is taken first, for schemas that hold themselves.
    components[name] = {}
    Object.assign(components[name], convert(value))
  }
  return { $ref: `#/components/schemas/${name}` }
}
