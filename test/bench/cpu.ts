import { readdirSync, readFileSync } from 'node:fs'

/** /proc counts in hundredths of a second on every Linux that user programs see (USER_HZ). */
const ticksPerSecond = 100

/** The fields of /proc/<pid>/stat after the name, which may itself hold spaces; null when the process is gone. */
function statOf(pid: number): string[] | null {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return line.slice(line.lastIndexOf(')') + 2).split(' ')
  } catch {
    return null
  }
}

/** `root` and everything that it has started, directly or through others. */
export function processTree(root: number): number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    const parent = Number.isInteger(pid) ? statOf(pid)?.[1] : undefined
    if (parent === undefined) continue
    children.set(Number(parent), [...(children.get(Number(parent)) ?? []), pid])
  }
  const tree = [root]
  for (let at = 0; at < tree.length; at++) tree.push(...(children.get(tree[at]!) ?? []))
  return tree
}

/**
 * Seconds of CPU time, user and system, that the process tree has used so far, children that have ended included. It
 * grows in steps of 10 ms a process: measure over half a second of it or more.
 */
export function cpuSeconds(root: number): number {
  let ticks = 0
  for (const pid of processTree(root)) {
    const stat = statOf(pid)
    // utime, stime, cutime, cstime: fields 14 to 17 of proc_pid_stat(5), counted here from the state (field 3).
    for (const field of stat?.slice(11, 15) ?? []) ticks += Number(field)
  }
  return ticks / ticksPerSecond
}

/** Microseconds of CPU time of the process tree for each unit of the work; `work` gives the number of units. */
export async function cpuMicrosEach(root: number, work: () => Promise<number>): Promise<number> {
  const before = cpuSeconds(root)
  const units = await work()
  // What is put off (log lines, rows in batches) belongs to the work.
  await Bun.sleep(300)
  return ((cpuSeconds(root) - before) * 1e6) / units
}
