import { dollarText } from '../costs/money.ts'
import { secondsText } from '../explain/index.ts'
import type { StoredBody, StoredRecord } from '../storage/records/types.ts'
import { type Colour, colourOf, cutTo, harmless, type Paint, padTo } from './paint.ts'

/** Records in lines for people. */

interface Columns {
  model: number
  took: number
  tokens: number
  cost: number
  /** The token's name. */
  token: number
  /** Characters of the id. What it begins with is enough to find a record by. */
  id: number
}

const NARROW: Columns = { model: 21, took: 7, tokens: 9, cost: 8, token: 0, id: 18 }
const WIDE: Columns = { model: 32, took: 7, tokens: 13, cost: 10, token: 12, id: 36 }
const WIDE_FROM = 129

const columnsFor = (width: number) => (width >= WIDE_FROM ? WIDE : NARROW)

/** @param width columns of the terminal; without end where there is none, so that ids are whole */
export function headLine(paint: Paint, width: number): string {
  const { model, took, tokens, cost, token } = columnsFor(width)
  const cells = ['TIME    ', '   ', 'MODEL'.padEnd(model), 'TOOK'.padStart(took)]
  cells.push('TOKENS'.padStart(tokens), 'COST'.padStart(cost))
  if (token) cells.push('TOKEN'.padEnd(token))
  return paint('dim', [...cells, 'LOG'].join(' '))
}

/** One record in a line: the time on this machine's clock, what came of it, who did it, how long, how much. */
export function recordLine(record: StoredRecord, paint: Paint, width: number): string {
  const { at, status, duration, tokensIn, tokensOut, cost, cached, token, id } = record
  const columns = columnsFor(width)
  const used = tokensIn === undefined ? '' : `${short(tokensIn)}/${short(tokensOut ?? 0)}`
  const paid = cached ? 'cached' : cost === undefined ? '' : `$${shortDollars(cost)}`
  const cells = [
    clock(at),
    paint(colourOf(status), String(status)),
    padTo(cutTo(targetIn(record, columns.model), columns.model), columns.model),
    secondsText(duration).padStart(columns.took),
    used.padStart(columns.tokens),
    paint(cached ? 'cyan' : 'dim', paid.padStart(columns.cost)),
  ]
  if (columns.token) cells.push(padTo(cutTo(token ?? '', columns.token), columns.token))
  return [...cells, paint('dim', id.slice(0, columns.id))].join(' ')
}

/** The model alone where there is no room for the provider's name. */
function targetIn({ provider, model, error }: StoredRecord, width: number): string {
  if (provider === undefined) return error?.code ?? 'refused'
  if (model === undefined || model === '') return provider
  const whole = `${provider}/${model}`
  return whole.length <= width ? whole : model
}

const clock = (at: number): string => {
  const time = new Date(at)
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map(part => String(part).padStart(2, '0')).join(':')
}

const short = (count: number): string =>
  count < 10_000 ? String(count) : count < 999_500 ? `${Math.round(count / 1_000)}k` : `${(count / 1e6).toFixed(1)}M`

/** With as many decimals as say something; `explain` tells all of them. */
function shortDollars(pico: number): string {
  const dollars = pico / 1e12
  if (dollars === 0) return '0'
  return dollars >= 1 ? dollars.toFixed(2) : dollars >= 0.01 ? dollars.toFixed(4) : dollars.toFixed(5)
}

/** Everything that a row says, a name and a value in each line. */
export function recordText(record: StoredRecord, paint: Paint): string[] {
  const { cost, key, error, metadata, trace, ...rest } = record
  const rows: [string, string | undefined][] = [
    ['log', rest.id],
    ['request', rest.request === rest.id ? undefined : rest.request],
    ['event', rest.event === rest.request ? undefined : rest.event],
    ['time', new Date(rest.at).toISOString()],
    ['gateway', rest.gateway],
    ['token', rest.token ?? 'none'],
    ['path', `${rest.method} ${rest.path} (${rest.surface})`],
    ['model', rest.provider === undefined ? undefined : `${rest.provider}/${rest.model ?? ''}`],
    ['asked', rest.asked],
    ['step', rest.step === undefined ? undefined : String(rest.step)],
    ['attempt', rest.attempt > 1 ? String(rest.attempt) : undefined],
    ['status', `${rest.status}${error ? ` ${error.code}${error.number === undefined ? '' : ` ${error.number}`}` : ''}`],
    ['took', timesText(record)],
    ['answer', `${rest.stream ? 'a stream' : 'in one piece'}${rest.cached ? ', from the cache' : ''}`],
    ['tokens', tokensText(record)],
    ['cost', cost === undefined ? undefined : `$${dollarText(cost)}${rest.customCost ? ' by cf-aig-custom-cost' : ''}`],
    ['key', key && (key.of === 'caller' ? 'the caller’s own' : `"${key.alias ?? ''}" of the ${key.of}`)],
    ['client', rest.userAgent],
    ['metadata', metadata && JSON.stringify(metadata)],
    ['feedback', rest.feedback === undefined ? undefined : String(rest.feedback)],
    ['score', rest.score === undefined ? undefined : String(rest.score)],
    ['trace', trace?.traceparent ?? trace?.traceId],
  ]
  return rows.flatMap(([name, value]) => {
    if (value === undefined) return []
    const text = harmless(value)
    return [`${paint('dim', name.padEnd(10))}${name === 'status' ? paint(colourOf(rest.status), text) : text}`]
  })
}

function timesText({ duration, firstByte, firstWord }: StoredRecord): string {
  return [
    secondsText(duration),
    ...(firstByte === undefined ? [] : [`first byte ${secondsText(firstByte)}`]),
    ...(firstWord === undefined ? [] : [`first word ${secondsText(firstWord)}`]),
  ].join(' · ')
}

function tokensText(record: StoredRecord): string | undefined {
  const { tokensIn, tokensOut, tokensCached, tokensWritten, tokensReasoning, estimated } = record
  if (tokensIn === undefined && tokensOut === undefined) return undefined
  return [
    `${tokensIn ?? 0} in`,
    ...(tokensCached ? [`${tokensCached} of them cached`] : []),
    ...(tokensWritten ? [`${tokensWritten} written to the cache`] : []),
    `${tokensOut ?? 0} out`,
    ...(tokensReasoning ? [`${tokensReasoning} of them reasoning`] : []),
    ...(estimated ? ['counted here'] : []),
  ].join(', ')
}

const decoder = new TextDecoder('utf-8', { fatal: true })

/** A body for people: JSON with its members below each other, other text as it is. */
export function bodyText({ bytes, size, cut, assembled, replaced }: StoredBody, paint: Paint): string[] {
  const notes = [
    ...(assembled ? ['a stream, put together'] : []),
    ...(cut ? [`cut: it had ${size} bytes`] : []),
    ...(replaced ? [`${replaced} taken out: secrets, pictures or sound`] : []),
  ]
  const lines = notes.length ? [paint('dim', notes.join(' · '))] : []
  let text: string
  try {
    text = decoder.decode(bytes)
  } catch {
    return [...lines, `${size} bytes that are no text`]
  }
  try {
    return [...lines, ...jsonLines(JSON.parse(text), paint)]
  } catch {
    return [...lines, ...text.split('\n').map(harmless)]
  }
}

const TOKENS = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g

/** Control characters are escaped in JSON already but for those above 127. */
function jsonLines(value: unknown, paint: Paint): string[] {
  return JSON.stringify(value, null, 2)
    .split('\n')
    .map(line =>
      harmless(line).replace(TOKENS, (whole, text?: string, colon?: string) => {
        const colour: Colour = text === undefined ? 'yellow' : colon === undefined ? 'green' : 'blue'
        return colon === undefined ? paint(colour, whole) : `${paint(colour, text!)}${colon}`
      }),
    )
}
