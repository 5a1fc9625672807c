import { type Facts, keyText } from './field.ts'
import type { ElementType, Graph, ModelNode, Node, PercentageNode, RateNode } from './graph.ts'
import { branchAt, pointOf } from './percentage.ts'

/** Where a walk stops. */
export type Stop = ModelStop | EndStop

/** A model is to be asked. */
export interface ModelStop {
  type: 'model'
  node: ModelNode
  /** From 0: how many models were asked before. */
  step: number
}

/** The route is over: the last good answer goes out, or the last error. */
export interface EndStop {
  type: 'end'
  /** The limit that stood in the way, where no model was asked behind it: there may be neither an answer nor an error. */
  limited?: RateNode
}

/** What a walk asks for beside the request. */
export interface Means {
  /**
   * Whether a limit has room: `count` takes one request, `cost` asks whether money is left.
   * @param bucket whose counter: empty for the one that all share who do not have the field, else unlike for unlike values
   */
  allow(node: RateNode, bucket: string): boolean | Promise<boolean>
  /** From 0 to below 1. */
  random?: () => number
  /** Whether the trace says more of the reasons, which takes time. */
  explain?: boolean
}

/** One turn that was taken. It holds ids, fields and operators, never a prompt or another value of the request. */
export interface Decision {
  node: string
  type: ElementType
  /** The name of the output; `end` where the route ended for want of one. */
  output: string
  why: string
}

/** A way through a route. */
export interface Walk {
  /**
   * Goes on to the next model, or to the end; answers at once where no limit has to be waited for. It is called one
   * after another, never twice at once.
   * @param outcome how the model of the last stop did; only the first call goes without
   * @throws whatever {@link Means.allow} throws
   */
  next(outcome?: 'success' | 'fallback'): Stop | Promise<Stop>
  /** The turns so far. */
  readonly trace: readonly Decision[]
}

/** Begins a walk from the start of a route. */
export function walk(graph: Graph, facts: Facts, means: Means): Walk {
  return new Walker(graph, facts, means)
}

class Walker implements Walk {
  readonly trace: Decision[] = []
  readonly #facts: Facts
  readonly #means: Means
  /** Where the walk stands; nothing once it is over. */
  #at: Node | undefined
  #step = 0
  #limited: RateNode | undefined
  /** A graph has no circles; were there one all the same, it would be walked once. */
  #left: number

  constructor(graph: Graph, facts: Facts, means: Means) {
    this.#at = graph.start
    this.#left = graph.nodes.length
    this.#facts = facts
    this.#means = means
  }

  next(outcome?: 'success' | 'fallback'): Stop | Promise<Stop> {
    const node = this.#at
    if (node?.type === 'model') {
      if (!outcome) throw new Error(`the walk stands at the model ${node.id}: say how it did`)
      this.#limited = undefined
      this.#turn(node, outcome, outcome === 'success' ? 'the model answered' : 'the model failed')
    }
    return this.#go()
  }

  #go(): Stop | Promise<Stop> {
    for (;;) {
      const node = this.#at
      if (!node || this.#left-- <= 0) return this.#end()
      switch (node.type) {
        case 'start':
          this.#turn(node, 'next', 'the start')
          break
        case 'conditional': {
          const holds = node.condition.holds(this.#facts)
          const plain = holds ? 'the conditions hold' : 'the conditions do not hold'
          this.#turn(node, String(holds), this.#means.explain ? node.condition.why(this.#facts) : plain)
          break
        }
        case 'percentage':
          this.#draw(node)
          break
        case 'rate': {
          const allowed = this.#means.allow(node, bucketOf(node, this.#facts))
          if (allowed instanceof Promise) return this.#goOn(node, allowed)
          this.#pass(node, allowed)
          break
        }
        case 'model':
          return { type: 'model', node, step: this.#step++ }
        case 'end':
          return this.#end()
      }
    }
  }

  async #goOn(node: RateNode, allowed: Promise<boolean>): Promise<Stop> {
    this.#pass(node, await allowed)
    return this.#go()
  }

  #end(): EndStop {
    this.#at = undefined
    return this.#limited ? { type: 'end', limited: this.#limited } : { type: 'end' }
  }

  #draw(node: PercentageNode): void {
    const { random = Math.random, explain } = this.#means
    const point = pointOf(node, this.#facts, random)
    const sticky = node.sticky && keyText(node.sticky, this.#facts) !== undefined
    const plain = sticky ? `by ${node.sticky!.text}` : 'by chance'
    this.#turn(node, branchAt(node.branches, point).output, explain ? `${plain}, at ${point.toFixed(2)} of 100` : plain)
  }

  #pass(node: RateNode, allowed: boolean): void {
    if (!allowed) this.#limited = node
    const what = node.limitType === 'cost' ? 'the budget' : 'the limit'
    const whose = node.key ? ` by ${node.key.text}` : ''
    this.#turn(node, allowed ? 'success' : 'fallback', `${allowed ? 'within' : 'over'} ${what}${whose}`)
  }

  #turn(node: Node, output: string, why: string): void {
    const next = (node.outputs as Readonly<Record<string, Node | undefined>>)[output]
    this.trace.push({ node: node.id, type: node.type, output: next ? output : 'end', why })
    this.#at = next
  }
}

/** Longer values of a key are told apart by their hash. */
const LONGEST_BUCKET = 128

/**
 * Whose counter a request counts against. Whoever has no such field, or one that is no text, number or truth value,
 * shares the empty one with all others of that kind: leaving the field out gains nobody a fresh counter.
 */
function bucketOf({ key }: RateNode, facts: Facts): string {
  const value = key && keyText(key, facts)
  if (value === undefined) return ''
  if (value.length <= LONGEST_BUCKET) return `=${value}`
  return `#${new Bun.CryptoHasher('sha256').update(value).digest('hex')}`
}
