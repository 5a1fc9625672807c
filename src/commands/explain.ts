import { gather } from '../explain/gather.ts'
import { explain } from '../explain/index.ts'
import { explanationText } from './explain-text.ts'
import { printAll, terminal } from './output.ts'
import { paintFor } from './paint.ts'
import { type RecordsAtHand, withRecords } from './records-store.ts'
import type { StoreOptions } from './with-store.ts'

export interface ExplainOptions extends StoreOptions {
  /** The one gateway to look in. */
  gateway?: string
  json?: boolean
}

const NARROW = 80
const WIDE = 110

/** How many columns there are to write in. */
const columnsOf = (stream: { isTTY?: boolean; columns?: number }): number =>
  stream.isTTY && stream.columns ? Math.max(60, Math.min(stream.columns, WIDE)) : NARROW

/**
 * `postern explain <id>`: says what happened to a request. It reads the database and needs no server.
 *
 * @param word the id of a log, a request or an event
 * @returns the exit code: 0 told, 1 no such record or no database, 2 a wrong configuration
 */
export async function explainCommand(word: string, options: ExplainOptions = {}): Promise<number> {
  return withRecords(options, async at => {
    const { database, reader, output } = at
    const story = await gather(database, reader, word, options.gateway)
    if (!story) {
      output.err(nothingFound(word, at, options.gateway))
      return 1
    }
    const told = explain(story)
    const paint = paintFor(process.stdout, options.env ?? process.env)
    const text = options.json
      ? JSON.stringify(told, null, 2)
      : explanationText(told, paint, columnsOf(process.stdout)).join('\n')
    await print(text, output)
    return 0
  })
}

/** All at once, or a closed pipe would be told line by line. */
export async function print(text: string, output: RecordsAtHand['output']): Promise<void> {
  if (output === terminal) await printAll(`${text}\n`)
  else for (const line of text.split('\n')) output.out(line)
}

export function nothingFound(word: string, { place }: RecordsAtHand, gateway: string | undefined): string {
  const where = gateway === undefined ? place : `gateway "${gateway}" of ${place}`
  // What was typed may be a key, by mistake.
  const what = /^[\w.:-]{1,40}$/.test(word) && !/^(?:sk|pst)[-_]/.test(word) ? ` ${word}` : ' that'
  return `postern: no log, request or event${what} is on record in ${where}. The answer's header cf-aig-log-id holds the id; where it is missing, collect_logs or cf-aig-collect-log was false. A record may also be too old by storage.log_retention_days or log_management; \`postern logs tail\` shows what there is.`
}
