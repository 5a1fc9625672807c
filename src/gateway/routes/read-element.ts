import { isObject } from '../../config/shape.ts'
import { either, hint, nearest } from '../../config/suggest.ts'
import { type ElementType, elementTypes, type Node } from './graph.ts'
import { type Complaints, complaintsOf, type Problems, quoted, type Steps } from './problems.ts'
import { branchReader, type Properties, propertyReaders } from './read-properties.ts'

/** Where an output of an element leads. */
export interface Edge {
  output: string
  to: string
  /** From the element down. */
  steps: Steps
}

/** An element on its own, before it is linked with the others. */
export interface Draft {
  index: number
  complaints: Complaints
  /** Absent where it is no good. */
  id?: string
  /** Absent where it is not known. */
  type?: ElementType
  edges: Edge[]
  /** All but the outputs; only where nothing is wrong. */
  properties?: Properties
}

/** The outputs that an element must have, and may have. */
const outputs: Record<Exclude<ElementType, 'percentage'>, { must: string[]; may: string[] }> = {
  start: { must: ['next'], may: [] },
  conditional: { must: ['true', 'false'], may: [] },
  rate: { must: ['success'], may: ['fallback'] },
  model: { must: ['success'], may: ['fallback'] },
  end: { must: [], may: [] },
}

/** Names of older documentation. */
const olderTypes = new Map<unknown, ElementType>([['rate_limit', 'rate']])

const LONGEST_ID = 128
const members = ['id', 'type', 'properties', 'outputs']

/** Reads one element leniently: older names, ids without `elementId`, and what has a default left out. */
export function readElement(element: unknown, index: number, problems: Problems): Draft {
  const id = isObject(element) ? element.id : undefined
  const complaints = complaintsOf(problems, index, id)
  const draft: Draft = { index, complaints, edges: [] }
  if (!isObject(element)) {
    complaints.say([], ': expected a mapping with id, type and outputs')
    return draft
  }
  for (const name of Object.keys(element))
    if (!members.includes(name)) complaints.say([name], `: unknown key${hint(name, members)}`)
  if (typeof id !== 'string' || !id || id.length > LONGEST_ID)
    complaints.expected(['id'], `a string of 1 to ${LONGEST_ID} characters`, id)
  else draft.id = id
  draft.type = typeOf(element.type, complaints)
  readEdges(draft, element.outputs)
  if (draft.type) draft.properties = readProperties(draft.type, element, complaints)
  return draft
}

function typeOf(type: unknown, complaints: Complaints): ElementType | undefined {
  const known = elementTypes.find(one => one === type) ?? olderTypes.get(type)
  if (!known) {
    const advice = typeof type === 'string' ? hint(type, elementTypes) : ''
    complaints.expected(['type'], either(elementTypes.map(quoted)), type, advice)
  }
  return known
}

function readEdges(draft: Draft, said: unknown): void {
  const { type, complaints } = draft
  const none = said === undefined || said === null
  if (!none && !isObject(said)) {
    complaints.expected(['outputs'], 'a mapping of names to {"elementId": …}', said)
    return
  }
  const given = isObject(said) ? said : {}
  for (const [output, target] of Object.entries(given)) {
    const to = typeof target === 'string' ? target : isObject(target) ? target.elementId : undefined
    const steps: Steps = ['outputs', output]
    if (typeof to !== 'string' || !to) {
      if (isObject(target) && to !== undefined) complaints.expected([...steps, 'elementId'], 'the id of an element', to)
      else if (isObject(target)) complaints.say(steps, ': the key "elementId" is missing')
      else complaints.expected(steps, '{"elementId": …}', target)
      continue
    }
    draft.edges.push({ output, to, steps: typeof target === 'string' ? steps : [...steps, 'elementId'] })
  }
  if (type && type !== 'percentage') checkOutputs(type, Object.keys(given), complaints)
}

function checkOutputs(
  type: Exclude<ElementType, 'percentage'>,
  given: readonly string[],
  complaints: Complaints,
): void {
  const { must, may } = outputs[type]
  const absent = [...must, ...may].filter(output => !given.includes(output))
  const misspelt = new Set<string>()
  for (const output of given) {
    if (must.includes(output) || may.includes(output)) continue
    const meant = nearest(output, absent)
    if (meant) misspelt.add(meant)
    const known = [...must, ...may].join(', ') || 'none'
    const advice = meant ? `; did you mean ${quoted(meant)}?` : `; there are: ${known}`
    const kind = type === 'end' ? 'an end' : `a ${type} element`
    complaints.say(['outputs', output], `: not an output of ${kind}${advice}`)
  }
  // What is only misspelt has been complained of.
  for (const output of must)
    if (absent.includes(output) && !misspelt.has(output))
      complaints.say(['outputs'], `.${output} is missing: it says which element follows`)
}

function readProperties(type: ElementType, element: Record<string, unknown>, complaints: Complaints) {
  const { properties, outputs: said } = element
  if (properties !== undefined && properties !== null && !isObject(properties)) {
    complaints.expected(['properties'], 'a mapping', properties)
    return undefined
  }
  const own = propertyReaders[type](isObject(properties) ? properties : {}, complaints)
  if (type !== 'percentage') return own
  const branches = branchReader(isObject(said) ? Object.keys(said) : [], complaints)
  return own && branches ? { ...own, ...branches } : undefined
}

/** The element itself, whose outputs are linked afterwards. */
export const nodeOf = ({ type, id, properties }: Draft): Node => ({ type, id, ...properties, outputs: {} }) as Node
