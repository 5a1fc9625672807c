import { invalidRequest } from './fault.ts'

/** What a caller says about a request, for routing, limits and records. */
export type Metadata = Readonly<Record<string, string | number | boolean | null>>

const MOST_ENTRIES = 5
const LONGEST_KEY = 128

/**
 * Reads `cf-aig-metadata` by the rules of contract 3.1: at most five flat entries. One that is nested spoils the whole,
 * further ones are dropped, and so are those that begin with `cf.`, which is the gateway's own word.
 * @returns what there is, and the names of what has no effect
 * @throws GatewayFault 400 for what is no JSON object
 */
export function readMetadata(value: string, name: string): { metadata?: Metadata; dropped: string[] } {
  const given = parsed(value)
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw invalidRequest(`${name}: expected a JSON object`, name)
  const metadata: Record<string, string | number | boolean | null> = Object.create(null)
  const dropped: string[] = []
  let count = 0
  for (const [key, said] of Object.entries(given)) {
    if (typeof said === 'object' && said !== null) return { dropped: [name] }
    if (key.startsWith('cf.') || key.length > LONGEST_KEY || count === MOST_ENTRIES) dropped.push(told(name, key))
    else {
      metadata[key] = said as string | number | boolean | null
      count++
    }
  }
  return { metadata, dropped }
}

function parsed(value: string): unknown {
  try {
    return JSON.parse(value)
  } catch {
    return undefined
  }
}

/** Only a name that a header can carry is repeated in one. */
const told = (name: string, key: string) => (/^[\w.-]{1,64}$/.test(key) ? `${name}.${key}` : name)
