import { either } from '../../config/suggest.ts'
import { type Facts, type Field, fieldNames, fieldOf } from './facts.ts'

/** Whose budget a request draws on, compiled: a text with fields in braces. */
export interface Actor {
  /** The text for this request; undefined where a field of it is missing. */
  resolve(facts: Facts): string | undefined
}

/** Longer texts, which callers may write through their metadata, stand in counters as their hash. */
const LONGEST = 256

/** @returns the actor, or what is wrong with its text */
export function actorOf(text: string): Actor | string {
  const parts: (string | Field)[] = []
  for (let at = 0; at < text.length; ) {
    const open = text.indexOf('{', at)
    const fixed = text.slice(at, open < 0 ? undefined : open)
    const stray = fixed.indexOf('}')
    if (stray >= 0) return `"}" at character ${at + stray + 1} closes nothing`
    if (fixed) parts.push(fixed)
    if (open < 0) break
    const close = text.indexOf('}', open)
    if (close < 0) return `"{" at character ${open + 1} is not closed`
    const field = fieldOf(text.slice(open + 1, close).trim())
    if (!field || text.slice(open + 1, close).includes('{'))
      return `expected ${either(fieldNames)} within the braces at character ${open + 1}`
    parts.push(field)
    at = close + 1
  }
  if (parts.every(part => typeof part === 'string')) return { resolve: () => text }
  return {
    resolve: facts => {
      let resolved = ''
      for (const part of parts) {
        if (typeof part === 'string') resolved += part
        else {
          const value = part.read(facts)
          if (value === undefined || value === null) return undefined
          resolved += typeof value === 'object' ? value.toSorted().join(',') : value
        }
      }
      return resolved.length > LONGEST
        ? `sha256:${new Bun.CryptoHasher('sha256').update(resolved).digest('hex')}`
        : resolved
    },
  }
}
