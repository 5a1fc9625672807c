import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
} from 'yaml'
import type { Problem } from './problems.ts'
import { maskReferences, resolveReferences, type Sources } from './references.ts'
import { complaint } from './yaml-errors.ts'

/** Where a thing stands in the file, both from 1. */
export interface Position {
  line: number
  column: number
}

/** What a value was before it became one. */
export interface Origin {
  /** The text as written, e.g. `0123` where the value is 123. */
  source: string
  /** The references that it came from, without their defaults; empty for what is written out. */
  references: string[]
}

/** The file as plain values, with the place of each. Pointers are JSON pointers (`/tokens/0/token`). */
export interface Reading {
  value: unknown
  /** The place of the value; of the nearest mapping around it where it is missing. */
  at(pointer: string): Position | undefined
  /** The place of the key that a value stands under. */
  keyAt(pointer: string): Position | undefined
  origins: Map<string, Origin>
  /** Values that are left out because a reference in them could not be resolved: already complained of. */
  unresolved: Set<string>
  /** Values that are left out because their references came to an empty text. */
  emptied: Set<string>
  problems: Problem[]
  warnings: Problem[]
  /** The line of the first fault of syntax: what follows may not be what the writer meant. */
  brokenFrom?: number
}

/** `['prices', 'openai/x']` → `/prices/openai~1x`, as TypeBox names places. */
export const pointerOf = (steps: readonly (string | number)[]): string =>
  steps.map(step => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

export const stepsOf = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map(step => step.replaceAll('~1', '/').replaceAll('~0', '~'))

/** As a person reads it: `gateways.default.cache_ttl`. */
export const dotted = (pointer: string): string => stepsOf(pointer).join('.')

const left = Symbol('left out')

/** Aliases of aliases can stand for more than there is memory; nobody writes so many by hand. */
const mostAliases = 1_000

/**
 * Reads YAML with references. Never throws: everything wrong with the syntax, duplicate keys and references is in
 * `problems`, and the value holds what could be read all the same.
 */
export function readYaml(text: string, sources: Sources): Reading {
  const lines = new LineCounter()
  const masked = maskReferences(text)
  // Duplicate keys are found below, where their path is known.
  const document = parseDocument(masked.text, { lineCounter: lines, uniqueKeys: false, prettyErrors: false })
  const values = new Map<string, Position>()
  const keys = new Map<string, Position>()
  const problems: Problem[] = []
  const warnings: Problem[] = []
  const origins = new Map<string, Origin>()
  const unresolved = new Set<string>()
  const emptied = new Set<string>()
  let aliases = 0
  const place = (offset: number): Position => {
    const { line, col } = lines.linePos(offset)
    return { line: line || 1, column: col || 1 }
  }
  const complain = (pointer: string, node: Node, message: string) =>
    problems.push({ ...place(node.range?.[0] ?? 0), path: dotted(pointer), message })

  // One complaint a line: the parser trips over the same fault again and again.
  const complainedOf = new Set<number>()
  for (const error of document.errors) {
    const at = place(error.pos[0])
    if (complainedOf.has(at.line)) continue
    complainedOf.add(at.line)
    problems.push({ ...at, path: '', message: complaint(error.code) })
  }
  for (const warning of document.warnings) {
    warnings.push({ ...place(warning.pos[0]), path: '', message: complaint(warning.code) })
  }

  /** The text of a scalar as its writer meant it, references still in it. */
  const written = (node: Node, value: string): string => {
    const quoted = isScalar(node) && (node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE')
    const range = node.range
    // Within quotes the mask is in the way of escapes, so the original is read instead; lengths are the same.
    if (!quoted || !range || !text.slice(range[0], range[1]).includes('${')) return masked.unmask(value)
    const again: unknown = parseDocument(text.slice(range[0], range[1])).toJS()
    return typeof again === 'string' ? again : masked.unmask(value)
  }

  const scalar = (node: Node & { value: unknown; source?: string }, pointer: string): unknown => {
    const source = masked.unmask(node.source ?? String(node.value ?? ''))
    if (typeof node.value !== 'string') {
      origins.set(pointer, { source, references: [] })
      return node.value
    }
    const resolved = resolveReferences(written(node, node.value), sources)
    for (const fault of resolved.faults) complain(pointer, node, fault)
    origins.set(pointer, { source: resolved.text, references: resolved.references })
    if (resolved.faults.length) unresolved.add(pointer)
    else if (resolved.references.length && !resolved.text) emptied.add(pointer)
    else return resolved.text
    return left
  }

  /** What an alias stands for; undefined, and complained of, where that is nothing or has no end. */
  const aliased = (node: Alias, pointer: string, around: Node[]): Node | undefined => {
    const target = node.resolve(document as Document)
    aliases++
    if (target && !around.includes(target) && aliases <= mostAliases) return target
    const why = target ? 'an alias that holds itself' : 'an alias to an anchor that does not stand before it'
    if (aliases <= mostAliases) complain(pointer, node, why)
    else if (aliases === mostAliases + 1) complain(pointer, node, `more than ${mostAliases} aliases`)
    return undefined
  }

  /** A mapping that `<<` names, or each of a list of them. */
  const merged = (node: unknown, pointer: string, around: Node[]): Record<string, unknown> => {
    const one = isAlias(node) ? aliased(node, pointer, around) : node
    if (isSeq(one)) return Object.assign({}, ...one.items.toReversed().map(item => merged(item, pointer, around)))
    return isMap(one) ? (convert(one, pointer, around) as Record<string, unknown>) : {}
  }

  const mapping = (pairs: Pair[], pointer: string, around: Node[]): Record<string, unknown> => {
    const out: Record<string, unknown> = Object.create(null)
    const seen = new Map<string, number>()
    const inherited: Record<string, unknown>[] = []
    for (const { key, value } of pairs) {
      const node = key as Node
      const name = isScalar(node) ? masked.unmask(String(node.source ?? node.value)) : ''
      if (!isScalar(node)) {
        if (node) complain(pointer, node, 'a key must be a plain word, not a list or a mapping')
        continue
      }
      const below = `${pointer}${pointerOf([name])}`
      const at = place(node.range?.[0] ?? 0)
      if (name === '<<' && node.type === 'PLAIN') {
        inherited.push(merged(value, pointer, around))
        continue
      }
      const first = seen.get(name)
      if (first !== undefined) {
        complain(below, node, `duplicate key; it is on line ${first} already`)
        continue
      }
      seen.set(name, at.line)
      keys.set(below, at)
      const read = value ? convert(value as Node, below, around) : null
      if (!values.has(below)) values.set(below, at)
      if (read !== left) out[name] = read
    }
    for (const other of inherited) for (const name of Object.keys(other)) if (!seen.has(name)) out[name] = other[name]
    return out
  }

  /** @param around the nodes that this one stands in, to notice one that holds itself */
  const convert = (node: Node, pointer: string, around: Node[]): unknown => {
    if (isAlias(node)) {
      const target = aliased(node, pointer, around)
      if (target) return convert(target, pointer, around)
      unresolved.add(pointer)
      return left
    }
    if (node.range) values.set(pointer, place(node.range[0]))
    if (isMap(node)) return mapping(node.items as Pair[], pointer, [...around, node])
    if (isSeq(node)) {
      return node.items.map((item, index) => {
        const below = `${pointer}/${index}`
        const read = item ? convert(item as Node, below, [...around, node]) : null
        if (read !== left) return read
        return emptied.has(below) ? '' : undefined
      })
    }
    return isScalar(node) ? scalar(node as Node & { value: unknown; source?: string }, pointer) : null
  }

  const value = document.contents ? convert(document.contents as Node, '', []) : null
  const at = (pointer: string): Position | undefined => {
    for (let near = pointer; ; near = near.slice(0, near.lastIndexOf('/'))) {
      const found = values.get(near)
      if (found || !near) return found
    }
  }
  const broken = document.errors.map(error => place(error.pos[0]).line)
  return {
    value: value === left ? undefined : value,
    at,
    keyAt: pointer => keys.get(pointer) ?? at(pointer),
    origins,
    unresolved,
    emptied,
    problems,
    warnings,
    ...(broken.length ? { brokenFrom: Math.min(...broken) } : {}),
  }
}
