import { File } from './schema.ts'
import { isChoice, memberOf, type Shape, shapeOf, wordsOf } from './shape.ts'

/** A text that holds a reference: it may stand wherever a number, a truth value, a word or an address is wanted. */
const reference = {
  type: 'string',
  pattern: '\\$\\{.+\\}',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it describes the references of the file
  description: 'A reference: ${NAME}, ${NAME:-default} or ${file:/path}.',
}

type Json = Record<string, unknown>

const annotations = ['description', 'default', 'examples'] as const

/** Our own words for a person come out of the rule; the annotations go to the outside, where editors look for them. */
function split(shape: Shape): { outer: Json; inner: Shape } {
  const { expected: _, ...inner } = shape
  const outer: Json = {}
  for (const name of annotations) {
    if (inner[name] !== undefined) outer[name] = inner[name]
    delete inner[name]
  }
  return { outer, inner }
}

const mapValues = (shapes: Record<string, Shape>) =>
  Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, rewrite(shape)]))

function rewrite(shape: Shape): Json {
  const { outer, inner } = split(shape)
  if (isChoice(inner)) {
    const words: (string | null)[] = wordsOf(inner)
    if (inner.anyOf?.some(one => one.type === 'null')) words.push(null)
    return { ...outer, anyOf: [{ enum: words }, reference] }
  }
  if (inner.anyOf) {
    const some = inner.anyOf.map(one => rewrite(one))
    // The annotations of the one that is not null are those of the whole.
    const [first] = inner.anyOf.filter(one => one.type !== 'null')
    const lifted = inner.anyOf.length === 2 && some.some(one => one.type === 'null') && first ? split(first).outer : {}
    return {
      ...lifted,
      ...outer,
      anyOf: some.flatMap(one => (Array.isArray(one.anyOf) ? (one.anyOf as Json[]) : [one])),
    }
  }
  if (inner.type === 'integer' || inner.type === 'number' || inner.type === 'boolean') {
    return { ...outer, anyOf: [{ ...inner }, reference] }
  }
  if (inner.type === 'string')
    return inner.pattern ? { ...outer, anyOf: [{ ...inner }, reference] } : { ...outer, ...inner }
  if (inner.type === 'array') return { ...outer, ...inner, ...(inner.items ? { items: rewrite(inner.items) } : {}) }
  if (inner.type !== 'object') return { ...outer, ...inner }
  const { properties, patternProperties, additionalProperties, ...rest } = inner
  const member = memberOf(inner)
  if (!member) return { ...outer, ...rest, properties: mapValues(properties ?? {}), additionalProperties: false }
  if (additionalProperties !== false) return { ...outer, ...rest, additionalProperties: rewrite(member) }
  return { ...outer, ...rest, patternProperties: mapValues(patternProperties ?? {}), additionalProperties: false }
}

/**
 * The JSON Schema (draft 7, which every editor knows) of postern.yaml. `knownProviders` are the slugs that editors
 * offer and accept under `providers`; any passes when it is empty or left out.
 */
export function fileJsonSchema(knownProviders: readonly string[] = []): Json {
  const schema = rewrite(shapeOf(File))
  const properties = schema.properties as Record<string, Json>
  const providers = properties.providers as Json
  const known = knownProviders.length ? { propertyNames: { enum: [...knownProviders] } } : {}
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'postern.yaml',
    description: 'The configuration of Postern. Every key is optional.',
    ...schema,
    properties: { ...properties, providers: { ...providers, ...known } },
  }
}
