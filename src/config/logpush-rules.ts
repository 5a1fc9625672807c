import { readPublicKey } from '../telemetry/logpush/seal.ts'
import { dotted, type Position, pointerOf, type Reading } from './positions.ts'
import type { Problem } from './problems.ts'
import { isObject } from './shape.ts'

/** What the schema cannot say of `logpush`: receivers that are told apart, gateways that there are, keys that can be used. */
export function logpushRules(
  file: Record<string, unknown>,
  reading: Reading,
): { problems: Problem[]; warnings: Problem[] } {
  const problems: Problem[] = []
  const warnings: Problem[] = []
  const say = (list: Problem[], steps: (string | number)[], message: string, place?: Position) =>
    list.push({ ...(place ?? reading.at(pointerOf(steps))), path: dotted(pointerOf(steps)), message })
  const gateways = isObject(file.gateways) ? file.gateways : {}
  const targets = (Array.isArray(file.logpush) ? file.logpush : []).filter(isObject)
  const seen = new Set<string>()
  for (const [index, { url, gateway }] of targets.entries()) {
    const name = `${String(gateway ?? '')}\n${String(url)}`
    // What waits for a receiver lies in a folder of that name.
    if (seen.has(name)) say(problems, ['logpush', index], 'another receiver has the same url and the same gateway')
    seen.add(name)
    if (typeof gateway === 'string' && gateway !== 'default' && !gateways[gateway])
      say(warnings, ['logpush', index, 'gateway'], 'the file declares no gateway of this name')
  }
  for (const [id, gateway] of Object.entries(gateways)) {
    if (!isObject(gateway)) continue
    const key = gateway.logpush_public_key
    if (typeof key === 'string' && !canBeUsed(key))
      say(problems, ['gateways', id, 'logpush_public_key'], 'expected an RSA public key of at least 2048 bits in PEM')
    if (gateway.logpush === true && !targets.some(target => target.gateway === undefined || target.gateway === id)) {
      const steps = ['gateways', id, 'logpush']
      const place = reading.keyAt(pointerOf(steps))
      say(warnings, steps, 'no receiver under "logpush" takes the records of this gateway', place)
    }
  }
  return { problems, warnings }
}

function canBeUsed(pem: string): boolean {
  try {
    readPublicKey(pem)
    return true
  } catch {
    return false
  }
}
