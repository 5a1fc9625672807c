import type { JsonObject } from '../../conversation/conversation.ts'
import { isObject, type MergeBudget, mergeAllOf, mergeBudget } from './schema-nodes.ts'

const MAPS = ['properties', '$defs', 'definitions', 'patternProperties', 'dependentSchemas']
const LISTS = ['anyOf', 'oneOf', 'prefixItems']
const SINGLES = ['items', 'additionalProperties', 'not', 'if', 'then', 'else', 'contains', 'propertyNames']

/**
 * A JSON Schema for `responseJsonSchema` and `parametersJsonSchema`, which take most of it, references included: only
 * what they refuse is said in other words, with the same meaning. `const` becomes an enum of one, `allOf` is merged,
 * `definitions` are called `$defs`, and a `$ref` with members beside it moves into an `anyOf`, because a reference must
 * stand alone.
 * @see https://ai.google.dev/api/generate-content#FIELDS.response_json_schema
 */
export function jsonSchema(schema: JsonObject): JsonObject {
  const { $schema: _, ...root } = schema
  return rewrite(root, root, mergeBudget())
}

function rewrite(root: JsonObject, node: JsonObject, budget: MergeBudget): JsonObject {
  const inner = (value: unknown) => (isObject(value) ? rewrite(root, value, budget) : value)
  const result: JsonObject = {}
  for (const [key, value] of Object.entries(mergeAllOf(root, node, budget))) {
    if (key === 'const') result.enum = [value]
    else if (key === '$ref' && typeof value === 'string') result.$ref = value.replace(/^#\/definitions\//, '#/$defs/')
    else if (MAPS.includes(key) && isObject(value)) {
      const map: JsonObject = {}
      for (const name in value) map[name] = inner(value[name])
      result[key === 'definitions' ? '$defs' : key] = map
    } else if (LISTS.includes(key) && Array.isArray(value)) result[key] = value.map(inner)
    else if (SINGLES.includes(key)) result[key] = Array.isArray(value) ? value.map(inner) : inner(value)
    else result[key] = value
  }
  const { $ref, ...beside } = result
  if (typeof $ref !== 'string' || Object.keys(beside).every(key => key.startsWith('$'))) return result
  return { ...beside, anyOf: [{ $ref }] }
}
