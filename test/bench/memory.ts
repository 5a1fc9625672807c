import { readFileSync } from 'node:fs'
import { processTree } from './cpu.ts'

/** Bytes of the process tree. `rss` counts a page once for every process that maps it, `pss` shares it out. */
export interface Memory {
  rss: number
  pss: number
}

/** The memory of a process tree at this moment, from smaps_rollup. */
export function memoryOf(root: number): Memory {
  const sum: Memory = { rss: 0, pss: 0 }
  for (const pid of processTree(root)) {
    try {
      const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1')
      sum.rss += 1024 * Number(/^Rss: +(\d+)/m.exec(text)?.[1] ?? 0)
      sum.pss += 1024 * Number(/^Pss: +(\d+)/m.exec(text)?.[1] ?? 0)
    } catch {
      // It ended between the listing and the reading.
    }
  }
  return sum
}

/** The largest memory seen in so many milliseconds, looked at four times a second. */
export async function peakMemory(root: number, milliseconds: number): Promise<Memory> {
  const peak: Memory = { rss: 0, pss: 0 }
  for (let passed = 0; passed <= milliseconds; passed += 250) {
    const now = memoryOf(root)
    peak.rss = Math.max(peak.rss, now.rss)
    peak.pss = Math.max(peak.pss, now.pss)
    await Bun.sleep(250)
  }
  return peak
}
