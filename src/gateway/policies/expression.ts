import type { ASTNode } from '@marcbachmann/cel-js'
import { type Field, fieldOf } from './facts.ts'

/** What goes through a list, or binds a name for a part of the expression. */
const MACROS = new Set(['all', 'exists', 'exists_one', 'map', 'filter'])

/** What is wrong with a part of an expression, and at which character, from 0. */
export interface Fault {
  at: number
  text: string
}

/** Where `matches` is called, and with which pattern. */
interface MatchCall {
  /** Of its name, from 0. */
  at: number
  pattern: string
}

export interface Surveyed {
  faults: Fault[]
  matches: MatchCall[]
}

/**
 * Looks for what the library would do at any cost: lists gone through within lists, texts that double with every name
 * that is bound, and regular expressions, which it hands to the engine of JavaScript.
 */
export function survey(root: ASTNode): Surveyed {
  const faults: Fault[] = []
  const matches: MatchCall[] = []
  const visit = (node: ASTNode, within: boolean): void => {
    if (node.op === 'rcall') {
      const [name, receiver, parts] = node.args
      if (name === 'bind') {
        faults.push({ at: node.start, text: 'cel.bind is not supported' })
        return
      }
      const macro = MACROS.has(name)
      if (macro && within) faults.push({ at: node.start, text: `${name} within another macro is not supported` })
      if (name === 'matches') lookAtMatch(node, receiver, parts[0])
      visit(receiver, within)
      for (const part of parts) visit(part, within || macro)
      return
    }
    for (const child of children(node)) visit(child, within)
  }
  const lookAtMatch = (node: ASTNode, receiver: ASTNode, pattern: ASTNode | undefined) => {
    const text = pattern?.op === 'value' && typeof pattern.args === 'string' ? pattern.args : undefined
    const lead = /^[\s)]*\.\s*(?=matches\b)/.exec(node.input.slice(receiver.end))
    if (text === undefined || !lead)
      faults.push({ at: node.start, text: 'expected .matches("…") with a pattern that is written out' })
    else matches.push({ at: receiver.end + lead[0].length, pattern: text })
  }
  visit(root, false)
  return { faults, matches }
}

function children(node: ASTNode): readonly ASTNode[] {
  switch (node.op) {
    case 'value':
    case 'id':
      return []
    case '.':
    case '.?':
      return [node.args[0]]
    case '!_':
    case '-_':
      return [node.args]
    case 'call':
      return node.args[1]
    case 'rcall':
      return [node.args[1], ...node.args[2]]
    case 'map':
      return node.args.flat()
    default:
      return node.args
  }
}

/** The fields without which the expression cannot come to true, so that it need not be asked, which would cost a throw. */
export function fieldsOfTruth(root: ASTNode): Field[] {
  const fields = new Map<string, Field>()
  const truth = (node: ASTNode): void => {
    if (node.op === '&&') for (const part of node.args) truth(part)
    else needed(node)
  }
  /** Without which it comes to nothing but an error. */
  const needed = (node: ASTNode): void => {
    const field = fieldAt(node)
    if (field) {
      fields.set(field.text, field)
      return
    }
    switch (node.op) {
      case '&&':
      case '||':
        return
      case '?:':
        needed(node.args[0])
        return
      case 'call':
        if (node.args[0] !== 'has') for (const part of node.args[1]) needed(part)
        return
      case 'rcall':
        needed(node.args[1])
        if (!MACROS.has(node.args[0])) for (const part of node.args[2]) needed(part)
        return
      default:
        for (const child of children(node)) needed(child)
    }
  }
  truth(root)
  return [...fields.values()]
}

/** The field that stands here: `cf.user.id`, `metadata.team` or `metadata["team"]`. */
function fieldAt(node: ASTNode): Field | undefined {
  const path = pathAt(node)
  return path === undefined ? undefined : fieldOf(path)
}

function pathAt(node: ASTNode): string | undefined {
  if (node.op === 'id') return node.args
  if (node.op === '.') {
    const above = pathAt(node.args[0])
    // Behind a key there is nothing more: `metadata.a.b` is no field.
    return above === undefined || fieldOf(above) ? undefined : `${above}.${node.args[1]}`
  }
  if (node.op !== '[]') return undefined
  const [base, key] = node.args
  if (key.op !== 'value' || typeof key.args !== 'string') return undefined
  const above = pathAt(base)
  return above === 'metadata' || above === 'cf.custom' ? `${above}.${key.args}` : undefined
}
