import { basename } from 'node:path'
import { pointerOf, type Reading } from './positions.ts'
import type { Config } from './schema.ts'
import { isObject } from './shape.ts'

/** Where things stand in the file that the API shows and may not change. Plain data: it goes to other processes. */
export interface Declared {
  /** When the file was last written, in milliseconds since 1970. */
  modified: number
  /** Lines from 1, by JSON pointer (`/gateways/default`). */
  lines: Record<string, number>
}

/** What the API has objects for. */
const SHOWN = ['tokens', 'providers', 'custom_providers', 'gateways']
/** `providers` / `openai` / `keys` / `default`. */
const DEEPEST = 4

/** The lines of everything in a file that has an object of its own in the API. */
export function linesOf(file: Record<string, unknown>, reading: Reading): Record<string, number> {
  const lines: Record<string, number> = {}
  const note = (value: unknown, steps: string[]) => {
    const pointer = pointerOf(steps)
    const line = reading.keyAt(pointer)?.line
    if (line !== undefined) lines[pointer] = line
    if (steps.length === DEEPEST) return
    const members = Array.isArray(value) ? { ...value } : isObject(value) ? value : {}
    for (const [name, member] of Object.entries(members)) note(member, [...steps, name])
  }
  for (const root of SHOWN) if (root in file) note(file[root], [root])
  return lines
}

/**
 * The file and line that declare something, for a refusal to change it: `postern.yaml:12`. The folder is left out: it is
 * nothing to those who only hold a token.
 * @returns nothing for what the file does not say
 */
export function declaredAt({ path, declared }: Config, steps: readonly string[]): string | undefined {
  const line = declared?.lines[pointerOf(steps)]
  return path === undefined || line === undefined ? undefined : `${basename(path)}:${line}`
}
