import { picoOf } from '../costs/money.ts'
import { secondsText } from '../explain/index.ts'
import type { LogExplanation } from '../schemas/management/explain.ts'
import { changeLines } from './changes-text.ts'
import { colourOf, cutTo, harmless, type Paint, padTo, wrapTo } from './paint.ts'

/** An explanation for people, in so many columns. */
export function explanationText(told: LogExplanation, paint: Paint, width: number): string[] {
  return [
    ...headOf(told, paint, width),
    ...section('Who and where', whoOf(told, width), paint),
    ...section('Settings', settingsOf(told, paint, width), paint),
    ...section('Route', routeOf(told, paint, width), paint),
    ...section('Cache', cacheOf(told, paint, width), paint),
    ...section(told.attempts.length > 1 ? 'Attempts' : 'Attempt', attemptsOf(told, paint, width), paint),
    ...section(bodyTitle(told), bodiesOf(told, paint, width), paint),
    ...section('Answer', answerOf(told, paint, width), paint),
    ...section('Cost', costOf(told, paint, width), paint),
  ]
}

const INDENT = '  '
const NAMES = 11

function section(title: string, lines: readonly string[], paint: Paint): string[] {
  return lines.length ? ['', paint('bold', title), ...lines.map(line => INDENT + line)] : []
}

/** A name, and what belongs to it, in as many lines as that takes. */
function row(name: string, text: string, width: number, names = NAMES): string[] {
  return wrapTo(text, width - INDENT.length - names).map((line, index) => padTo(index ? '' : name, names) + line)
}

function headOf(told: LogExplanation, paint: Paint, width: number): string[] {
  const { summary, status, log_id, request_id, event_id, at, other_requests } = told
  const lines = wrapTo(summary, width).map(line => paint(colourOf(status), line))
  lines.push(paint('dim', `${at.replace('T', ' ').replace('Z', ' UTC')} · log ${log_id}`))
  if (request_id !== log_id) lines.push(paint('dim', `request ${request_id}`))
  if (event_id !== undefined) lines.push(paint('dim', cutTo(`event ${event_id}`, width)))
  const [other] = other_requests
  if (other !== undefined)
    lines.push(
      ...wrapTo(
        `This is the newest of ${other_requests.length + 1} requests of the event; the one before it is ${other}.`,
        width,
      ),
    )
  return lines
}

function whoOf(told: LogExplanation, width: number): string[] {
  const { authentication, gateway, method, path, surface, asked, user_agent, metadata, ignored_headers } = told
  const rows: [string, string | undefined][] = [
    ['caller', authentication],
    ['gateway', gateway],
    ['asked', `${method} ${path} (${surface})`],
    ['model', asked],
    ['client', user_agent],
    ['metadata', metadata && JSON.stringify(metadata)],
    ['no effect', ignored_headers],
  ]
  return rows.flatMap(([name, text]) => (text === undefined ? [] : row(name, text, width)))
}

const SOURCES: Record<LogExplanation['settings'][number]['from'], string> = {
  header: 'header',
  step: 'header of the step',
  config: 'config of the step',
  route: 'element of the route',
  file: 'the file',
  api: 'management API',
  default: 'built in',
}

function settingsOf({ settings }: LogExplanation, paint: Paint, width: number): string[] {
  const names = Math.max(...settings.map(({ name }) => name.length)) + 2
  const values = Math.min(24, Math.max(...settings.map(({ name, value }) => valueText(name, value).length)) + 2)
  const room = width - INDENT.length - names - values
  return settings.map(({ name, value, from, at, instead_of }) => {
    const source = from === 'file' ? (at ?? SOURCES.file) : at === undefined ? SOURCES[from] : `${SOURCES[from]} ${at}`
    const over = instead_of === undefined ? '' : `, not ${valueText(name, instead_of)}`
    const text = cutTo(valueText(name, value), values - 2)
    return padTo(name, names) + padTo(text, values) + paint('dim', cutTo(`← ${source}${over}`, room))
  })
}

const UNITS: Record<string, string> = {
  cache_ttl: 's',
  rate_limiting_interval: 's',
  stream_idle_timeout: 's',
  request_timeout: 'ms',
  retry_delay: 'ms',
}

function valueText(name: string, value: string | number | boolean): string {
  const unit = typeof value === 'number' ? UNITS[name] : undefined
  return unit === undefined ? String(value) : `${value} ${unit}`
}

function routeOf({ route }: LogExplanation, paint: Paint, width: number): string[] {
  const names = Math.min(24, Math.max(...route.map(({ node }) => Bun.stringWidth(node))) + 2)
  return route.map(({ node, type, output, why }) => {
    const way = `${padTo(type, 12)}→ ${padTo(cutTo(output, 12), 13)}`
    const room = width - INDENT.length - names - Bun.stringWidth(way)
    return padTo(cutTo(node, names - 1), names) + way + paint('dim', cutTo(why, room))
  })
}

function cacheOf({ cache }: LogExplanation, paint: Paint, width: number): string[] {
  const { hit, why, key, ttl, named, parts = [] } = cache
  if (key === undefined) return why === undefined ? [] : wrapTo(why, width - INDENT.length)
  return [
    `${hit ? paint('green', 'HIT') : 'MISS'}, kept for ${ttl} s`,
    padTo('key', NAMES) + cutTo(key, width - INDENT.length - NAMES),
    ...(named ? ['The caller named it in cf-aig-cache-key; nothing else counts.'] : []),
    ...(parts.length ? row('made of', [...parts.map(partText), 'and the body'].join(' · '), width) : []),
  ]
}

const partText = ({ name, value }: { name: string; value: string }) => `${name} ${value}`

function attemptsOf(told: LogExplanation, paint: Paint, width: number): string[] {
  const several = told.attempts.length > 1
  return told.attempts.flatMap((attempt, index) => {
    const { provider, model, status, error, key, pool_member, answered, cached, step, limits } = attempt
    const target =
      provider === undefined ? 'the gateway itself' : `${provider}${model === undefined ? '' : `/${model}`}`
    const number = several ? `${index + 1}  ` : ''
    const at = [
      ...(step === undefined ? [] : [`step ${step}`]),
      ...(attempt.attempt > 1 ? [`attempt ${attempt.attempt}`] : []),
      ...(cached ? ['from the cache'] : []),
      ...(answered && several ? ['what the client got'] : []),
    ]
    const left = ' '.repeat(number.length)
    const outcome = `${status}${error ? ` ${error.code}${error.number === undefined ? '' : ` ${error.number}`}` : ''}`
    const used = `${key === undefined ? '' : `key ${key}`}${pool_member === undefined ? '' : `, ${pool_member}`}`
    return [
      `${number}${paint('bold', cutTo(target, width - 30))}  ${paint(colourOf(status), harmless(outcome))}`,
      ...(at.length ? [left + paint('dim', at.join(' · '))] : []),
      left + timeLine(attempt, told.duration, paint, width - INDENT.length - left.length),
      ...(used ? [left + cutTo(used, width - INDENT.length - left.length)] : []),
      ...limits.flatMap(({ key, counts, taken, limit, window }) =>
        wrapTo(`limit ${key}: ${taken} of ${limit} ${counts} (${window})`, width - INDENT.length - left.length).map(
          line => left + line,
        ),
      ),
    ]
  })
}

const BAR = 28

/** Where an attempt lies within the whole: waiting for the provider, then its answer. */
function timeLine(
  { started, first_byte, ended }: LogExplanation['attempts'][number],
  duration: number,
  paint: Paint,
  width: number,
): string {
  const place = (time: number) => Math.max(0, Math.min(BAR, Math.round((time / Math.max(duration, 0.1)) * BAR)))
  const from = Math.min(place(started), BAR - 1)
  const to = Math.max(from + 1, place(ended))
  const first = Math.max(from, Math.min(to, place(first_byte ?? ended)))
  const bar = `${' '.repeat(from)}${'░'.repeat(first - from)}${'█'.repeat(to - first)}${' '.repeat(BAR - to)}`
  const words = [
    ...(started >= 0.05 ? [`from ${secondsText(started)}`] : []),
    ...(first_byte === undefined ? [] : [`first byte ${secondsText(first_byte)}`]),
    `end ${secondsText(ended)}`,
  ]
  return `${paint('cyan', `▕${bar}▏`)} ${cutTo(words.join(' · '), width - BAR - 3)}`
}

function bodyTitle({ bodies: { from, to } }: LogExplanation): string {
  if (from === undefined || to === undefined || from === to) return 'Body'
  return `Body: ${from} → ${to}`
}

function bodiesOf({ bodies }: LogExplanation, paint: Paint, width: number): string[] {
  const lines = wrapTo(bodies.note, width - INDENT.length)
  if (bodies.dropped.length)
    lines.push(
      ...wrapTo(`Told in postern-dropped: ${bodies.dropped.join(', ')}`, width - INDENT.length).map(line =>
        paint('yellow', line),
      ),
    )
  lines.push(...changeLines(bodies.changes, paint, width - INDENT.length))
  if (bodies.omitted) lines.push(paint('dim', `and ${bodies.omitted} more; --json tells as many as are kept`))
  return lines
}

function answerOf({ answer }: LogExplanation, paint: Paint, width: number): string[] {
  const { note, text, finish, model, tool_calls, error, assembled } = answer
  if (note !== undefined) return wrapTo(note, width - INDENT.length)
  const said = [
    ...(finish === undefined ? [] : [`finish ${finish}`]),
    ...(model === undefined ? [] : [`model ${model}`]),
    ...(tool_calls.length ? [`calls ${tool_calls.join(', ')}`] : []),
    ...(assembled ? ['a stream'] : []),
  ]
  return [
    ...(error === undefined ? [] : wrapTo(error, width - INDENT.length).map(line => paint('red', line))),
    ...(text === undefined ? [] : wrapTo(text, width - INDENT.length).slice(0, 8)),
    ...(said.length ? [paint('dim', cutTo(said.join(' · '), width - INDENT.length))] : []),
  ]
}

/** What is not counted in tokens has a price for one. */
const ONES = new Set([
  'request',
  'webSearch',
  'fileSearch',
  'rerankSearch',
  'second',
  'character',
  'page',
  'annotatedPage',
  'image',
])

type Line = [what: string, units: string, price: string, amount: string]

function costOf({ cost }: LogExplanation, paint: Paint, width: number): string[] {
  const rows = cost.lines.map(({ what, units, each, amount }): Line => {
    const price = ONES.has(what) ? `$${each}` : `$${perMillion(each)} / 1M`
    return [what, units.toLocaleString('en-US'), `× ${price}`, `= $${amount}`]
  })
  if (cost.amount !== undefined && rows.length) rows.push(['', '', 'sum', `= $${cost.amount}`])
  const widest = (column: number) => Math.max(0, ...rows.map(cells => cells[column]!.length))
  const [first, second, third] = [widest(0), widest(1), widest(2)]
  const lines = rows.map(([what, units, price, amount], index) => {
    const line = `${what.padEnd(first)}  ${units.padStart(second)} ${what ? price.padEnd(third) : price.padStart(third)}  ${amount}`
    return index === rows.length - 1 && !what ? paint('bold', line) : line
  })
  if (!rows.length && cost.amount !== undefined) lines.push(paint('bold', `$${cost.amount}`))
  const notes = [
    cost.note,
    ...(cost.tier === undefined ? [] : [`Service tier: ${cost.tier}.`]),
    ...(cost.estimated ? ['The provider told no usage: the tokens were counted here.'] : []),
    ...(cost.unpriced.length ? [`Used, and without a price: ${cost.unpriced.join(', ')}.`] : []),
    ...(cost.all_attempts === undefined ? [] : [`All attempts together: $${cost.all_attempts}.`]),
  ]
  return [...lines, ...wrapTo(notes.join(' '), width - INDENT.length).map(line => paint('dim', line))]
}

/** Of the price of one, exactly: the point six places to the right. */
function perMillion(each: string): string {
  const pico = picoOf(each)
  const text = (pico / 1_000_000).toFixed(6).replace(/0+$/, '')
  const [whole = '0', fraction = ''] = text.split('.')
  return `${whole}.${fraction.padEnd(2, '0')}`
}
