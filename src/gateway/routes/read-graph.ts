import { found } from '../../config/problems.ts'
import type { Graph, Node, StartNode } from './graph.ts'
import { Problems, type RouteProblem } from './problems.ts'
import { nodeOf, readElement } from './read-element.ts'
import { checkGraph, type Known } from './validate.ts'

const MOST_ELEMENTS = 200

/**
 * Reads the elements of a route (contract 7.2), whether they keep to the current names or to older ones, and compiles
 * their conditions.
 *
 * @param elements whatever stands there
 * @param known the providers that model elements may name; any passes where it is left out
 * @returns the graph, or everything that is wrong, in the order of the elements
 */
export function readGraph(elements: unknown, known?: Known): { graph: Graph } | { problems: RouteProblem[] } {
  const problems = new Problems()
  if (!Array.isArray(elements) || !elements.length || elements.length > MOST_ELEMENTS) {
    const count = Array.isArray(elements) && elements.length ? `${elements.length}` : found(elements, true)
    problems.add(-1, '', `elements: expected a list of 1 to ${MOST_ELEMENTS} elements, found ${count}`)
    return { problems: problems.list() }
  }
  const drafts = elements.map((element, index) => readElement(element, index, problems))
  checkGraph(drafts, problems, known)
  if (!problems.none) return { problems: problems.list() }
  const nodes = drafts.map(nodeOf)
  const byId = new Map(nodes.map(node => [node.id, node]))
  for (const [at, { edges }] of drafts.entries()) {
    const outputs = nodes[at]!.outputs as Record<string, Node>
    for (const { output, to } of edges) outputs[output] = byId.get(to)!
  }
  return { graph: { start: nodes.find((node): node is StartNode => node.type === 'start')!, nodes } }
}
