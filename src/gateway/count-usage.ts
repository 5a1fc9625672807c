import { Collector } from '../conversation/collect.ts'
import type { Reply, Usage } from '../conversation/reply.ts'
import { countTokens } from '../costs/count-tokens.ts'
import type { UpstreamDialect } from '../dialects/dialect.ts'
import { dialects } from '../dialects/index.ts'
import { framer } from '../stream/framer.ts'
import type { ChatExchange, Exchange } from './exchange.ts'
import type { KeptAnswer } from './kept-answer.ts'

const NONE = { memory: {}, quirks: [] }

/**
 * Counts what a request used whose provider has not said it: an answer without usage, or one that its client left in the
 * middle (T95, T96). It is a guess, and marked as one.
 * @returns nothing where there is no answer to be counted
 */
export async function countUsage(exchange: Exchange): Promise<Usage | undefined> {
  const { kept, sent, outcome, target, stream } = exchange
  if (!kept?.size || !target || outcome.cached) return undefined
  const { written, client } = exchange as Partial<ChatExchange>
  // What went to the client of a chat is in its own dialect; of a native answer, in the provider's.
  const format = written ? client?.name : outcome.format
  const dialect = format === undefined ? undefined : (dialects as Partial<Record<string, UpstreamDialect>>)[format]
  if (!dialect) return undefined
  const said = textOf(dialect, kept, stream)
  if (!said) return undefined
  const [input, output] = await Promise.all([
    countTokens(promptText(sent), target.model),
    countTokens(said, target.model),
  ])
  // Of a very long answer only the beginning is kept; the rest is taken to be like it.
  const whole = kept.isCut && kept.kept ? kept.size / kept.kept : 1
  return { input, output: Math.ceil(output * whole), source: 'estimated' }
}

/** The words of an answer, as far as it came; nothing where it cannot be read. */
function textOf(dialect: UpstreamDialect, kept: KeptAnswer, stream: boolean): string | undefined {
  const bytes = Buffer.concat(kept.bytes())
  try {
    if (!stream) return wordsOf(dialect.readReply(JSON.parse(bytes.toString('utf8')), NONE))
    const collector = new Collector()
    const reader = dialect.reader(NONE)
    for (const frame of framer(dialect.framing).push(bytes))
      for (const event of reader.read(frame)) collector.add(event)
    return wordsOf(collector.reply())
  } catch {
    return undefined
  }
}

function wordsOf({ choices }: Reply): string {
  let words = ''
  for (const { parts } of choices)
    for (const part of parts) {
      if ('text' in part && typeof part.text === 'string') words += `${part.text}\n`
      else if (part.type === 'tool-call') words += `${part.name} ${part.arguments}\n`
    }
  return words
}

/** Longer strings without a space are files. */
const SHORTEST_FILE = 1_024

/** All that a model reads of a request: its strings, but not its files. */
function promptText(sent: Exchange['sent']): string {
  if (sent === undefined) return ''
  let words = ''
  const walk = (value: unknown): void => {
    if (typeof value === 'string') {
      if (value.length < SHORTEST_FILE || value.includes(' ')) words += `${value}\n`
    } else if (Array.isArray(value)) for (const each of value) walk(each)
    else if (typeof value === 'object' && value !== null) for (const each of Object.values(value)) walk(each)
  }
  try {
    walk(JSON.parse(typeof sent === 'string' ? sent : Buffer.from(sent).toString('utf8')))
  } catch {
    return ''
  }
  return words
}
