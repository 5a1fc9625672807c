import { dotted, pointerOf, type Reading } from './positions.ts'
import type { Problem } from './problems.ts'
import { isObject } from './shape.ts'

const isOn = (value: unknown) => value === true
const given = (value: unknown) => value !== undefined && value !== null && value !== ''
const anything = (value: unknown) =>
  isObject(value) && Object.values(value).some(part => isObject(part) && Object.keys(part).length > 0)

/**
 * The settings that the file may hold although this version does nothing with them, and the values that would ask for
 * something to be done. Whoever builds one of them takes its line out; nothing else has to change.
 */
export const notYet: {
  gateways: Record<string, (value: unknown) => boolean>
  storage: Record<string, (value: unknown) => boolean>
} = {
  gateways: {
    log_classification: isOn,
    guardrails: anything,
    dlp: value => isObject(value) && value.enabled !== false,
    zdr: isOn,
    store_id: given,
    stripe: given,
    workers_ai_billing_mode: value => value === 'unified',
  },
  storage: {},
}

const words = 'accepted, but has no effect yet in this version'

/** A warning for every setting of the file that asks for something which this version does not do. */
export function notYetWarnings(file: Record<string, unknown>, reading: Reading): Problem[] {
  const warnings: Problem[] = []
  const look = (section: unknown, list: Record<string, (value: unknown) => boolean>, steps: string[]) => {
    if (!isObject(section)) return
    for (const [name, asks] of Object.entries(list)) {
      if (!asks(section[name])) continue
      const pointer = pointerOf([...steps, name])
      warnings.push({ ...reading.keyAt(pointer), path: dotted(pointer), message: words })
    }
  }
  look(file.storage, notYet.storage, ['storage'])
  if (isObject(file.gateways)) {
    for (const [id, gateway] of Object.entries(file.gateways)) look(gateway, notYet.gateways, ['gateways', id])
  }
  return warnings
}
