import type { BodyChange } from '../schemas/management/explain.ts'

/** Two JSON bodies side by side. Of our own: a library tells of members and places, none of what moved to another name. */
export interface BodyDiff {
  changes: BodyChange[]
  /** Changes beyond those that are told. */
  omitted: number
}

/** Beyond it nobody reads on. */
const MOST_CHANGES = 300
/** Leaves that are looked at for what has moved; a body with more is told without that. */
const MOST_LEAVES = 20_000
const LONGEST_VALUE = 300

type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

/** A value that stands on one side only, with those below it. */
interface Tree {
  path: string
  value: Json
  children: Tree[]
  /** Where it stands on the other side. */
  moved?: Tree
}

/**
 * What became of a body's members, in the order in which they stand: kept, changed, moved to another place, dropped,
 * added. What was treated as a whole is told as a whole.
 */
export function diffBodies(before: unknown, after: unknown): BodyDiff {
  const changes: BodyChange[] = []
  const gone: Tree[] = []
  const come: Tree[] = []
  compare('', '', before as Json, after as Json, { changes, gone, come })
  matchMoved(gone, come)
  for (const tree of gone) tellGone(tree, changes)
  for (const tree of come) tellCome(tree, changes)
  changes.sort((one, other) => RANK[one.change] - RANK[other.change])
  return { changes: changes.slice(0, MOST_CHANGES), omitted: Math.max(0, changes.length - MOST_CHANGES) }
}

const RANK: Record<BodyChange['change'], number> = { changed: 0, moved: 1, dropped: 2, added: 3, kept: 4 }

interface Found {
  changes: BodyChange[]
  gone: Tree[]
  come: Tree[]
}

/** @param to the same place in the other body */
function compare(path: string, to: string, before: Json, after: Json, found: Found): void {
  if (Bun.deepEquals(before, after)) {
    found.changes.push({ change: 'kept', path, ...elsewhere(path, to), before: jsonText(before) })
  } else if (Array.isArray(before) && Array.isArray(after)) compareLists(path, to, before, after, found)
  else if (isObject(before) && isObject(after)) {
    for (const [name, value] of Object.entries(before)) {
      const at = memberPath(path, name)
      if (Object.hasOwn(after, name)) compare(at, memberPath(to, name), value, after[name]!, found)
      else found.gone.push(treeOf(at, value))
    }
    for (const [name, value] of Object.entries(after))
      if (!Object.hasOwn(before, name)) found.come.push(treeOf(memberPath(to, name), value))
  } else if (isNested(before) || isNested(after)) {
    // What became of a text that is a list now is found among what moved.
    found.gone.push(treeOf(path, before))
    found.come.push(treeOf(to, after))
  } else
    found.changes.push({
      change: 'changed',
      path,
      ...elsewhere(path, to),
      before: jsonText(before),
      after: jsonText(after),
    })
}

const elsewhere = (path: string, to: string) => (to === path ? undefined : { to })
const isNested = (value: Json) => typeof value === 'object' && value !== null

/** One after the other, each with the next of its kind; what is left over was dropped or added. */
function compareLists(path: string, to: string, before: Json[], after: Json[], found: Found): void {
  let next = 0
  for (const [index, item] of before.entries()) {
    const at = `${path}[${index}]`
    // Where as much is left on both sides they belong together as they stand.
    const even = before.length - index === after.length - next && isLike(item, after[next])
    const pair = even ? next : nextLike(item, after, next)
    if (pair < 0) {
      found.gone.push(treeOf(at, item))
      continue
    }
    for (; next < pair; next++) found.come.push(treeOf(`${to}[${next}]`, after[next]!))
    compare(at, `${to}[${pair}]`, item, after[pair]!, found)
    next = pair + 1
  }
  for (; next < after.length; next++) found.come.push(treeOf(`${to}[${next}]`, after[next]!))
}

/** By what the formats tell items of a list apart. */
const KINDS = ['role', 'type', 'name', 'id']

/** How far away an item is looked for: lists of numbers are long. */
const REACH = 50

function nextLike(item: Json, list: readonly Json[], from: number): number {
  for (let place = from; place < list.length && place < from + REACH; place++)
    if (isLike(item, list[place])) return place
  return -1
}

/** Whether one may have become the other. */
function isLike(one: Json, other: Json | undefined): boolean {
  if (other === undefined) return false
  if (!isObject(one) || !isObject(other)) return Bun.deepEquals(one, other)
  return KINDS.every(kind => one[kind] === undefined || other[kind] === undefined || one[kind] === other[kind])
}

function treeOf(path: string, value: Json): Tree {
  const children = Array.isArray(value)
    ? value.map((item, index) => treeOf(`${path}[${index}]`, item))
    : isObject(value)
      ? Object.entries(value).map(([name, member]) => treeOf(memberPath(path, name), member))
      : []
  return { path, value, children }
}

/**
 * Finds what stands at another place now: equal texts in the order in which they stand, and numbers that are there once on
 * either side. Truth is too common to tell anything.
 */
function matchMoved(gone: readonly Tree[], come: readonly Tree[]): void {
  const [left, right] = [leavesOf(gone), leavesOf(come)]
  if (left.length > MOST_LEAVES || right.length > MOST_LEAVES) return
  const places = new Map<string | number, Tree[]>()
  for (const leaf of right) if (isTelling(leaf.value)) places.getOrInsertComputed(leaf.value, () => []).push(leaf)
  const counts = new Map<number, number>()
  for (const { value } of left) if (typeof value === 'number') counts.set(value, (counts.get(value) ?? 0) + 1)
  for (const leaf of left) {
    if (!isTelling(leaf.value)) continue
    const found = places.get(leaf.value)
    if (!found?.length) continue
    if (typeof leaf.value === 'number' && (found.length > 1 || counts.get(leaf.value)! > 1)) continue
    const to = found.shift()!
    leaf.moved = to
    to.moved = leaf
  }
}

const isTelling = (value: Json): value is string | number =>
  typeof value === 'number' || (typeof value === 'string' && value !== '')

function leavesOf(trees: readonly Tree[], into: Tree[] = []): Tree[] {
  for (const tree of trees) {
    if (into.length > MOST_LEAVES) break
    if (tree.children.length) leavesOf(tree.children, into)
    else into.push(tree)
  }
  return into
}

const hasMoved = (tree: Tree): boolean => tree.moved !== undefined || tree.children.some(hasMoved)

function tellGone(tree: Tree, changes: BodyChange[]): void {
  const { path, value, children, moved } = tree
  if (moved) changes.push({ change: 'moved', path, to: moved.path, before: jsonText(value) })
  else if (!hasMoved(tree)) changes.push({ change: 'dropped', path, before: jsonText(value) })
  else for (const child of children) tellGone(child, changes)
}

function tellCome(tree: Tree, changes: BodyChange[]): void {
  if (tree.moved) return
  if (!hasMoved(tree)) changes.push({ change: 'added', path: tree.path, after: jsonText(tree.value) })
  else for (const child of tree.children) tellCome(child, changes)
}

const isObject = (value: Json): value is { [name: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const NAME = /^[A-Za-z_$][\w$-]*$/

function memberPath(path: string, name: string): string {
  if (!NAME.test(name)) return `${path}[${JSON.stringify(name)}]`
  return path ? `${path}.${name}` : name
}

/** As JSON in one line, and not too long. */
function jsonText(value: Json): string {
  // Most of a long text need not be written.
  const text = JSON.stringify(typeof value === 'string' ? value.slice(0, 2 * LONGEST_VALUE) : value)
  if (text.length <= LONGEST_VALUE) return text
  return `${text.slice(0, LONGEST_VALUE - 1).replace(/[\ud800-\udbff]$/, '')}…`
}
