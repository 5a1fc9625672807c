import { type Facts, keyText } from './field.ts'
import type { Branch, PercentageNode } from './graph.ts'

/** Shares beside one that takes the rest. */
export const MOST_BRANCHES = 5
/** The older name of the branch that takes what is left. */
export const ELSE = 'else'

const SHARE = /^\s*(\d{1,3}(?:\.\d{1,9})?)\s*%\s*$/

/** Tenths such as 33.3 + 33.3 + 33.4 do not come to 100 exactly. */
const NEAR = 1e-6

/** `10%` → 10; nothing when it is no share. */
export function shareOf(output: string): number | undefined {
  const share = Number(SHARE.exec(output)?.[1] ?? Number.NaN)
  return share <= 100 ? share : undefined
}

/**
 * The branches of outputs such as `10%` and `else`, in the order in which they are written.
 * @returns what is wrong with their sum or their number, or the branches
 */
export function branchesOf(outputs: readonly string[]): readonly Branch[] | string {
  const named = outputs.filter(output => output !== ELSE)
  const rest = named.length < outputs.length
  if (!outputs.length) return 'expected shares such as "20%" and "80%", found none'
  if (named.length > MOST_BRANCHES) return `expected at most ${MOST_BRANCHES} shares, found ${named.length}`
  const shares = named.map(output => shareOf(output) ?? 0)
  const sum = shares.reduce((one, other) => one + other, 0)
  const shown = Number(sum.toFixed(6))
  if (sum > 100 + NEAR || (!rest && sum < 100 - NEAR))
    return `expected shares that come to 100%, found ${shown}%${sum < 100 ? ' (two equal shares are written "50%" and "50.0%"; "else" takes the rest)' : ''}`
  const left = Math.max(0, 100 - sum)
  return outputs.map(output => ({ output, share: output === ELSE ? left : (shareOf(output) ?? 0) }))
}

/**
 * Where a request falls, from 0 to below 100. A sticky one falls where its field's value says: the same value always at
 * the same place of one element, and at places of elements with other ids that have nothing to do with it. So a value
 * stays with its branch as long as the shares and their order stay, and a first share that grows keeps whom it had.
 * Where the field is missing, chance decides.
 */
export function pointOf(node: PercentageNode, facts: Facts, random: () => number): number {
  const value = node.sticky && keyText(node.sticky, facts)
  return value === undefined ? random() * 100 : (Bun.hash.xxHash32(`${node.id}\0${value}`) / 2 ** 32) * 100
}

/** The branch at a point from 0 to below 100. */
export function branchAt(branches: readonly Branch[], point: number): Branch {
  let sum = 0
  for (const branch of branches) {
    sum += branch.share
    if (point < sum) return branch
  }
  // Only sums such as 99.9999999 come here.
  return branches.findLast(({ share }) => share > 0) ?? branches[0]!
}
