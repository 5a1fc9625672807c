import type { Condition } from './conditions.ts'
import type { Field } from './field.ts'

/** A route in its one normal form: checked, its elements linked to each other, without a way round in a circle. */
export interface Graph {
  start: StartNode
  /** All of them, in the order in which they were written. */
  nodes: readonly Node[]
}

export type Node = StartNode | ConditionalNode | PercentageNode | RateNode | ModelNode | EndNode

export const elementTypes = ['start', 'conditional', 'percentage', 'rate', 'model', 'end'] as const
export type ElementType = (typeof elementTypes)[number]

export interface StartNode {
  type: 'start'
  id: string
  outputs: { next: Node }
}

export interface ConditionalNode {
  type: 'conditional'
  id: string
  /** As they were written. */
  conditions: unknown
  condition: Condition
  outputs: { true: Node; false: Node }
}

export interface PercentageNode {
  type: 'percentage'
  id: string
  branches: readonly Branch[]
  /** The field whose every value stays with one branch. */
  sticky?: Field
  /** By {@link Branch.output}. */
  outputs: Readonly<Record<string, Node>>
}

export interface Branch {
  /** The name of the output: `20%`, or `else`. */
  output: string
  /** Percent. */
  share: number
}

export interface RateNode {
  type: 'rate'
  id: string
  /** `count`: requests; `cost`: USD. */
  limitType: 'count' | 'cost'
  /** The field of which each value has a counter of its own; one counter for all where there is none. */
  key?: Field
  limit: number
  /** Seconds. */
  window: number
  technique: 'fixed' | 'sliding'
  /** Without `fallback` a request over the limit ends the route. */
  outputs: { success: Node; fallback?: Node }
}

export interface ModelNode {
  type: 'model'
  id: string
  /** A prefix that the registry knows. */
  provider: string
  /** The provider's own id. */
  model: string
  /** Milliseconds to the first byte; 0: no limit of its own. */
  timeout: number
  /** All tries (contract 6.1); 0 where the element leaves that to the gateway. */
  retries: number
  /** Without `fallback` a failure ends the route. */
  outputs: { success: Node; fallback?: Node }
}

export interface EndNode {
  type: 'end'
  id: string
  outputs: Record<string, never>
}
