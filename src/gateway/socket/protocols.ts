import type { KeyProtocol } from '../../providers/native/realtime.ts'

/** How a browser, which can set no header, shows our token (contract 1.9). */
const TOKEN = 'cf-aig-authorization.'

/** A provider's key among the subprotocols, and the items that say so. */
export interface OfferedKey {
  key: string
  items: readonly string[]
  protocol: KeyProtocol
}

/** The subprotocols that a client offers, in its order. */
export function protocolsIn(header: string | null): string[] {
  return header === null ? [] : header.split(',').flatMap(item => item.trim() || [])
}

export const isToken = (item: string): boolean => item.startsWith(TOKEN)

/** Our token, where it is shown as a subprotocol. */
export function tokenIn(items: readonly string[]): string | undefined {
  return items.find(isToken)?.slice(TOKEN.length)
}

/** A key of the provider's, where it is sent as a subprotocol. */
export function keyIn(items: readonly string[], protocols: readonly KeyProtocol[] = []): OfferedKey | undefined {
  for (const protocol of protocols) {
    const { prefix, word } = protocol
    const at = items.findIndex(item => (prefix === undefined ? item === word : item.startsWith(prefix)))
    if (at < 0) continue
    if (prefix !== undefined) return { key: items[at]!.slice(prefix.length), items: [items[at]!], protocol }
    const key = items[at + 1]
    if (key !== undefined) return { key, items: [items[at]!, key], protocol }
  }
  return undefined
}

/** What of an item may be a credential: it, or what stands behind the first word in it. */
export const credentialsIn = (item: string): string[] => {
  const point = item.indexOf('.')
  return point < 0 ? [item] : [item, item.slice(point + 1)]
}
