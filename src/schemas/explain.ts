import { Kind, OptionalKind, type TSchema } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { ChatCompletionRequest } from './chat-request.ts'

/** What is wrong with a value, in one sentence that tells nothing of the value itself: it may be a prompt or a key. */
export interface Explanation {
  /** Where, as a client's code would write it: `messages[2].content`; empty for the whole. */
  path: string
  /** Path and fault together: `messages[2].content: required`. */
  message: string
}

/** The parts of a schema's own data that decide what to say. */
interface Shape extends TSchema {
  anyOf?: Shape[]
  properties?: Record<string, Shape>
  required?: string[]
  items?: Shape
  patternProperties?: Record<string, Shape>
  additionalProperties?: boolean | Shape
  const?: unknown
  minItems?: number
  maxItems?: number
  minLength?: number
  maxLength?: number
  pattern?: string
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  /** Our words for a rule that is a pattern. */
  expected?: string
  'x-form'?: string
}

interface Fault {
  path: string
  message: string
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** JSON's own types as a sentence names them. */
const NAMES: Record<string, string> = {
  Object: 'an object',
  Record: 'an object',
  Array: 'a list',
  String: 'a string',
  Integer: 'an integer',
  Number: 'a number',
  Boolean: 'true or false',
  Null: 'null',
}

/** The members of a union, with those of unions inside it. */
const branches = (schema: Shape): Shape[] => (schema.anyOf ? schema.anyOf.flatMap(branches) : [schema])

const list = (words: string[]) =>
  words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`

/** What would have been right. Null goes unsaid where there is something else: it means the same as leaving out. */
function expected(schema: Shape): string {
  const all = branches(schema)
  const literals = all.filter(branch => branch[Kind] === 'Literal').map(branch => JSON.stringify(branch.const))
  const types = new Set(
    all.filter(branch => branch[Kind] !== 'Literal').map(branch => NAMES[branch[Kind]] ?? 'another value'),
  )
  if (literals.length + types.size > 1) types.delete('null')
  const words = literals.length > 1 ? [`one of ${list(literals)}`] : literals
  return `expected ${list([...words, ...types])}`
}

/** Whether a value has the JSON type that a schema asks for, whatever is inside it. */
function resembles(schema: Shape, value: unknown): boolean {
  switch (schema[Kind]) {
    case 'Object':
    case 'Record':
      return isObject(value)
    case 'Array':
      return Array.isArray(value)
    case 'String':
      return typeof value === 'string'
    case 'Integer':
    case 'Number':
      return typeof value === 'number'
    case 'Boolean':
      return typeof value === 'boolean'
    case 'Literal':
      return value === schema.const
    case 'Null':
      return value === null
    default:
      return true
  }
}

/** The member that tells the objects of a union apart (`role`, `type`): a literal in at least one of them. */
const tagOf = (objects: Shape[]): string | undefined => {
  for (const name of ['role', 'type'])
    if (objects.some(object => object.properties?.[name]?.[Kind] === 'Literal')) return name
  return undefined
}

/** The object of a union that has most of a value's members. */
const closest = (objects: Shape[], value: unknown): Shape => {
  if (objects.length < 2 || !isObject(value)) return objects[0]!
  const shared = ({ properties = {} }: Shape) =>
    Object.keys(value).filter(name => Object.hasOwn(properties, name)).length
  return objects.reduce((best, one) => (shared(one) > shared(best) ? one : best))
}

function explainUnion(schema: Shape, value: unknown, path: string): Fault | undefined {
  const alike = branches(schema).filter(branch => resembles(branch, value))
  if (alike.length === 0) return { path, message: expected(schema) }
  if (alike.some(branch => !find(branch, value, path))) return undefined
  const tag = alike.length > 1 && isObject(value) ? tagOf(alike) : undefined
  if (!tag || !isObject(value)) return find(closest(alike, value), value, path)
  const tagged = alike.filter(branch => branch.properties?.[tag]?.[Kind] === 'Literal')
  const chosen = tagged.find(branch => branch.properties?.[tag]?.const === value[tag])
  if (chosen) return find(chosen, value, path)
  const at = join(path, tag)
  if (!(tag in value)) return { path: at, message: 'required' }
  // Where the union also takes kinds that it does not name, only a tag that is no text can be at fault.
  if (tagged.length < alike.length) return { path: at, message: 'expected a string' }
  return {
    path: at,
    message: `expected one of ${list(tagged.map(branch => JSON.stringify(branch.properties?.[tag]?.const)))}`,
  }
}

function explainObject(schema: Shape, value: unknown, path: string): Fault | undefined {
  if (!isObject(value)) return { path, message: expected(schema) }
  for (const [name, member] of Object.entries(schema.properties ?? {})) {
    if (!(name in value) || value[name] === undefined) {
      if (OptionalKind in member) continue
      return { path: join(path, name), message: member['x-form'] ? `required, as "${member['x-form']}"` : 'required' }
    }
    const fault = find(member, value[name], join(path, name))
    if (fault) return fault
  }
  const known = Object.keys(schema.properties ?? {})
  if (schema.additionalProperties !== false || Object.keys(value).every(name => known.includes(name))) return undefined
  // The name itself is the client's own text.
  const names = known.length <= MOST_NAMED ? `; there are ${known.join(', ') || 'none'}` : ''
  return { path, message: `has a member that is not known here${names}` }
}

const MOST_NAMED = 12

function explainRecord(schema: Shape, value: unknown, path: string): Fault | undefined {
  if (!isObject(value)) return { path, message: expected(schema) }
  const [pattern, member] = Object.entries(schema.patternProperties ?? {})[0] ?? []
  if (!member) return undefined
  if (schema.additionalProperties === false && Object.keys(value).some(name => !new RegExp(pattern!).test(name)))
    return { path, message: `expected ${schema.expected ?? 'another name'} for every key` }
  const wrong = Object.values(value).find(each => find(member, each, path))
  if (wrong === undefined) return undefined
  // The key is the client's own text, so the path ends at the record.
  if (!isObject(wrong)) return { path, message: `${expected(member)} for every key` }
  const inner = find(member, wrong, '')!
  return { path, message: `for every key: ${inner.path}${inner.path && ': '}${inner.message}` }
}

/** A string that is too short, too long, or of another form. */
function explainText(schema: Shape, value: string): string | undefined {
  const { minLength = 0, maxLength, pattern } = schema
  const short = value.length < minLength
  if (short && schema['x-form']) return `expected "${schema['x-form']}"`
  if (maxLength !== undefined && (short || value.length > maxLength))
    return minLength > 0
      ? `expected ${minLength} to ${maxLength} characters`
      : `expected at most ${maxLength} characters`
  if (short && minLength === 1) return 'expected a string that is not empty'
  if (short) return `expected at least ${minLength} characters`
  if (pattern && !new RegExp(pattern).test(value)) return `expected ${schema.expected ?? 'a string of another form'}`
  return undefined
}

function explainBounds(schema: Shape, value: unknown, path: string): Fault | undefined {
  const message = typeof value === 'string' ? explainText(schema, value) : undefined
  if (message) return { path, message }
  if (typeof value !== 'number') return undefined
  if (schema[Kind] === 'Integer' && !Number.isInteger(value)) return { path, message: 'expected an integer' }
  if (value < (schema.minimum ?? -Infinity)) return { path, message: `expected at least ${schema.minimum}` }
  if (value <= (schema.exclusiveMinimum ?? -Infinity))
    return { path, message: `expected more than ${schema.exclusiveMinimum}` }
  if (value > (schema.maximum ?? Infinity)) return { path, message: `expected at most ${schema.maximum}` }
  return undefined
}

/** The first fault of a value in the order of the schema, or none that this walk knows. */
function find(schema: Shape, value: unknown, path: string): Fault | undefined {
  switch (schema[Kind]) {
    case 'Union':
      return explainUnion(schema, value, path)
    case 'Object':
      return explainObject(schema, value, path)
    case 'Record':
      return explainRecord(schema, value, path)
    case 'Array': {
      if (!Array.isArray(value)) return { path, message: expected(schema) }
      if (value.length < (schema.minItems ?? 0)) return { path, message: 'expected a list that is not empty' }
      if (value.length > (schema.maxItems ?? Infinity))
        return { path, message: `expected at most ${schema.maxItems} entries` }
      for (let index = 0; index < value.length; index++) {
        const fault = schema.items && find(schema.items, value[index], `${path}[${index}]`)
        if (fault) return fault
      }
      return undefined
    }
    default:
      return resembles(schema, value) ? explainBounds(schema, value, path) : { path, message: expected(schema) }
  }
}

const join = (path: string, name: string) => (path ? `${path}.${name}` : name)

/**
 * Says what is wrong with a value that a schema refused.
 *
 * @returns the first fault in the order of the schema. Paths hold names from the schema and positions, never a key or a
 * value of the input. Undefined where this finds no fault.
 */
export function explain(schema: TSchema, value: unknown): Explanation | undefined {
  const fault = find(schema, value, '')
  return fault && { path: fault.path, message: `${fault.path || 'the body'}: ${fault.message}` }
}

const chat = TypeCompiler.Compile(ChatCompletionRequest)

/** Whether a parsed body is a chat request: compiled, for the way of every request. */
export const isChatRequest = (value: unknown): value is ChatCompletionRequest => chat.Check(value)

/** What is wrong with the body of a chat request, or undefined when nothing is. */
export function explainBody(value: unknown): Explanation | undefined {
  if (chat.Check(value)) return undefined
  return explain(ChatCompletionRequest, value) ?? { path: '', message: 'the body: not a chat completion request' }
}
