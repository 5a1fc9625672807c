import type { Cost } from '../costs/cost.ts'
import { dollarText } from '../costs/money.ts'
import type { LogExplanation } from '../schemas/management/explain.ts'
import type { StoredRecord } from '../storage/records/types.ts'

const SOURCES: Record<Cost['source'], string> = {
  file: 'The prices of the configuration.',
  list: 'The bundled price list.',
  'file and list': 'The bundled price list, with figures of the configuration in the place of its own.',
  header: 'What the caller said in cf-aig-custom-cost.',
}

/** How a cost was made: units × price, line by line. @param all the records of the request */
export function costIn(
  record: StoredRecord,
  cost: Cost | undefined,
  all: readonly StoredRecord[],
): LogExplanation['cost'] {
  const costs = all.flatMap(one => (one.cost === undefined ? [] : [one.cost]))
  const total = costs.reduce((sum, one) => sum + BigInt(one), 0n)
  const together = costs.length > 1 ? { all_attempts: dollarText(total) } : undefined
  if (!cost) {
    const amount = record.cost === undefined ? undefined : { amount: dollarText(record.cost) }
    const note = whyNone(record)
    return { ...amount, lines: [], note, estimated: record.estimated, unpriced: [], ...together }
  }
  return {
    amount: dollarText(cost.pico),
    lines: cost.parts.map(({ what, units, each, pico }) => ({
      what,
      units,
      each: dollarText(each),
      amount: dollarText(pico),
    })),
    note: SOURCES[cost.source] ?? '',
    source: cost.source,
    ...(cost.tier && { tier: cost.tier }),
    estimated: cost.estimated === true,
    unpriced: cost.unpriced ?? [],
    ...together,
  }
}

function whyNone({ cost, cached, tokensIn, provider, model, status }: StoredRecord): string {
  if (cached) return 'What comes from the cache costs nothing.'
  if (cost !== undefined) return 'How it was made up was not kept.'
  if (tokensIn !== undefined)
    return `No price is known for ${provider ?? 'this provider'}/${model ?? ''}: name one under prices in postern.yaml.`
  return status < 400 ? 'It is not known what was used.' : 'Nothing was used, as far as is known.'
}
