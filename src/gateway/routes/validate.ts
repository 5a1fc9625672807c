import { hint, nearest } from '../../config/suggest.ts'
import type { ModelNode } from './graph.ts'
import { type Complaints, type Problems, quoted } from './problems.ts'
import type { Draft, Edge } from './read-element.ts'

/** What the route may name. */
export interface Known {
  /** Whether there is such a provider. */
  isProvider(slug: string): boolean
  /** For advice. */
  providers?: Iterable<string>
}

/** Looks for what no element can know of itself: duplicates, loose ends, circles, and what nothing leads to. */
export function checkGraph(drafts: readonly Draft[], problems: Problems, known?: Known): void {
  const byId = new Map<string, Draft>()
  for (const draft of drafts) {
    const first = draft.id === undefined ? undefined : byId.get(draft.id)
    if (first) draft.complaints.say(['id'], `: elements[${first.index}] has the same id`)
    else if (draft.id !== undefined) byId.set(draft.id, draft)
  }
  const starts = drafts.filter(({ type }) => type === 'start')
  if (!starts.length && drafts.every(({ type }) => type))
    problems.add(-1, '', 'elements: expected one element of type "start", found none')
  for (const another of starts.slice(1))
    another.complaints.say(['type'], `: ${starts[0]!.complaints.name} is the start already; there is only one`)
  const next = checkEdges(drafts, byId)
  if (known) for (const draft of drafts) checkProvider(draft, known)
  checkCircles(drafts, next)
  if (starts.length) checkReach(drafts, starts, next)
}

/** Where each edge leads. An edge to nowhere leads to what it most likely means, so that one fault is told once. */
function checkEdges(drafts: readonly Draft[], byId: ReadonlyMap<string, Draft>): Map<Edge, Draft> {
  const next = new Map<Edge, Draft>()
  for (const { edges, complaints, type } of drafts) {
    // What it has too many of has been complained of.
    if (type === 'end') continue
    for (const edge of edges) {
      const target = byId.get(edge.to) ?? byId.get(nearest(edge.to, byId.keys()) ?? '')
      if (target) next.set(edge, target)
      if (byId.has(edge.to)) continue
      const advice = hint(edge.to, byId.keys())
      tell(complaints, edge, `leads to ${quoted(edge.to)}, which is not there${advice}`)
    }
  }
  return next
}

/** `elements[3] "big": outputs.success leads to …`, at the id that is wrong. */
const tell = (complaints: Complaints, { steps, output }: Edge, text: string) =>
  complaints.say(steps, ` ${text}`, ['outputs', output])

function checkProvider({ type, properties, complaints }: Draft, { isProvider, providers }: Known): void {
  if (type !== 'model' || !properties) return
  const { provider } = properties as Pick<ModelNode, 'provider'>
  if (isProvider(provider)) return
  complaints.say(
    ['properties', 'provider'],
    `: there is no provider ${quoted(provider)}${hint(provider, providers ?? [])}`,
  )
}

/** Tells each edge that leads back to where the way has come from, with the circle that it closes. */
function checkCircles(drafts: readonly Draft[], next: ReadonlyMap<Edge, Draft>): void {
  const done = new Set<Draft>()
  const way: Draft[] = []
  const visit = (draft: Draft) => {
    way.push(draft)
    for (const edge of draft.edges) {
      const target = next.get(edge)
      if (!target || done.has(target)) continue
      const from = way.indexOf(target)
      if (from < 0) visit(target)
      else {
        const circle = [...way.slice(from), target].map(({ id, index }) => id ?? `elements[${index}]`).join(' → ')
        tell(draft.complaints, edge, target === draft ? 'leads back to its own element' : `closes a circle: ${circle}`)
      }
    }
    way.pop()
    done.add(draft)
  }
  for (const draft of drafts) if (!done.has(draft)) visit(draft)
}

function checkReach(drafts: readonly Draft[], starts: readonly Draft[], next: ReadonlyMap<Edge, Draft>): void {
  const reached = new Set(starts)
  // A set is walked in the order in which it grows.
  for (const draft of reached)
    for (const edge of draft.edges) {
      const target = next.get(edge)
      if (target) reached.add(target)
    }
  const ids = new Set([...reached].map(({ id }) => id))
  for (const draft of drafts)
    if (draft.id !== undefined && !reached.has(draft) && !ids.has(draft.id))
      draft.complaints.say([], ': nothing leads here from the start')
}
