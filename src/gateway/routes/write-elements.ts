import type { RouteElement } from '../../schemas/route.ts'
import type { Graph, Node, PercentageNode } from './graph.ts'
import { ELSE, MOST_BRANCHES } from './percentage.ts'

type Target = { elementId: string }

/**
 * Writes a graph in the current names, strictly (contract 7.2): a fallback that was left out leads to an end, which is
 * added where there is none; `else` becomes a share where there is room for one. What is read from it is the same route.
 */
export function writeElements({ nodes }: Graph): RouteElement[] {
  const end = nodes.find(({ type }) => type === 'end')?.id ?? freeId(nodes)
  const written = nodes.map(node => elementOf(node, end))
  const leadsThere = (element: RouteElement) =>
    Object.values(element.outputs).some(({ elementId }) => elementId === end)
  if (!nodes.some(({ id }) => id === end) && written.some(leadsThere)) {
    written.push({ id: end, type: 'end', outputs: {} })
  }
  return written
}

function freeId(nodes: readonly Node[]): string {
  const taken = new Set(nodes.map(({ id }) => id))
  let id = 'end'
  for (let number = 2; taken.has(id); number++) id = `end-${number}`
  return id
}

const to = ({ id }: Node): Target => ({ elementId: id })

function elementOf(node: Node, end: string): RouteElement {
  const { id } = node
  switch (node.type) {
    case 'start':
      return { id, type: 'start', outputs: { next: to(node.outputs.next) } }
    case 'conditional':
      return {
        id,
        type: 'conditional',
        properties: { conditions: node.conditions as Record<string, unknown> },
        outputs: { true: to(node.outputs.true), false: to(node.outputs.false) },
      }
    case 'percentage':
      return {
        id,
        type: 'percentage',
        ...(node.sticky && { properties: { sticky: node.sticky.text } }),
        outputs: branchesOf(node),
      }
    case 'rate':
      return {
        id,
        type: 'rate',
        properties: {
          limitType: node.limitType,
          key: node.key?.text ?? '',
          limit: node.limit,
          window: node.window,
          technique: node.technique,
        },
        outputs: outcomesOf(node.outputs, end),
      }
    case 'model':
      return {
        id,
        type: 'model',
        properties: { provider: node.provider, model: node.model, timeout: node.timeout, retries: node.retries },
        outputs: outcomesOf(node.outputs, end),
      }
    case 'end':
      return { id, type: 'end', outputs: {} }
  }
}

const outcomesOf = ({ success, fallback }: { success: Node; fallback?: Node }, end: string) => ({
  success: to(success),
  fallback: fallback ? to(fallback) : { elementId: end },
})

function branchesOf({ branches, outputs }: PercentageNode): Record<string, Target> {
  const written: Record<string, Target> = {}
  for (const { output, share } of branches) {
    let name = output
    if (output === ELSE && branches.length <= MOST_BRANCHES) {
      name = `${Number(share.toFixed(6))}`
      // Another branch may have the same share, and every name is there once.
      while (Object.hasOwn(outputs, `${name}%`)) name += name.includes('.') ? '0' : '.0'
      name += '%'
    }
    written[name] = to(outputs[output]!)
  }
  return written
}
