import { dollarText } from '../costs/money.ts'
import type { LogExplanation } from '../schemas/management/explain.ts'
import type { Explained, StoredBody, StoredRecord } from '../storage/records/types.ts'
import type { Decision } from '../telemetry/attempt-record.ts'
import { answerIn } from './answer.ts'
import { bodiesIn, type RequestBodies } from './bodies.ts'
import { costIn } from './cost.ts'

/** One attempt with what was decided on its way, as far as that was kept. */
export interface ExplainedRecord {
  record: StoredRecord
  explained?: Explained | undefined
}

/** All that is known of a request. */
export interface RequestStory extends RequestBodies {
  /** Every attempt in the order in which they began; at least one. */
  attempts: readonly ExplainedRecord[]
  /** Of the attempts: the one that bodies, settings and cost are told of. */
  told: number
  answer?: StoredBody | undefined
  /** Further requests of the event that was asked for. */
  others?: readonly string[]
}

/** Says what happened to a request, out of what is on record of it. */
export function explain({ attempts, told, answer, others = [], ...bodies }: RequestStory): LogExplanation {
  const { record, explained } = attempts[told]!
  const first = attempts[0]!.record
  const decisions = explained?.decisions ?? []
  const of = (step: string) => decisions.filter(decision => decision.step === step)
  const ended = Math.max(...attempts.map(({ record: { at, duration } }) => at + duration))
  const records = attempts.map(one => one.record)
  const answering = answered(records)
  const ignored = of('headers')[0]?.what.replace('without effect: ', '')
  const all = {
    log_id: record.id,
    request_id: record.request,
    ...(record.event !== record.request && { event_id: record.event }),
    other_requests: [...others],
    at: new Date(first.at).toISOString(),
    duration: tenths(ended - first.at),
    status: records[answering]!.status,
    token: record.token ?? null,
    authentication:
      of('authenticate')[0]?.what ?? (record.token === undefined ? 'no token' : `the token "${record.token}"`),
    ...(record.userAgent !== undefined && { user_agent: record.userAgent }),
    gateway: record.gateway,
    method: record.method,
    path: record.path,
    surface: record.surface,
    ...(record.asked !== undefined && { asked: record.asked }),
    ...(record.metadata && { metadata: { ...record.metadata } }),
    settings: of('setting').map(settingOf),
    ...(ignored !== undefined && { ignored_headers: ignored }),
    route: routeOf(attempts),
    cache: cacheOf(of('cache')[0], record),
    attempts: attempts.map((one, index) => attemptOf(one, first.at, index === answering)),
    bodies: bodiesIn(record, bodies, of('translate')[0]),
    answer: answerIn(answer),
    cost: costIn(record, explained?.cost, records),
  } satisfies Omit<LogExplanation, 'summary'>
  return { summary: summaryOf(all, records[answering]!), ...all }
}

/** Which attempt the client got: the last that succeeded, or the last of all. */
export function answered(records: readonly StoredRecord[]): number {
  const good = records.findLastIndex(({ success }) => success)
  return good >= 0 ? good : records.length - 1
}

type Facts = NonNullable<Decision['facts']>
type Setting = LogExplanation['settings'][number]
type Told = Omit<LogExplanation, 'summary'>

const tenths = (milliseconds: number) => Math.round(milliseconds * 10) / 10

function settingOf({ what, facts = {} }: Decision): Setting {
  const { value, from, at, instead_of } = facts
  return {
    name: what,
    value: value ?? '',
    from: (from ?? 'default') as Setting['from'],
    ...(typeof at === 'string' && { at }),
    ...(instead_of !== undefined && instead_of !== null && { instead_of }),
  }
}

/** Each step knows the turns up to itself, so that the longest is the whole. */
function routeOf(attempts: readonly ExplainedRecord[]): LogExplanation['route'] {
  const ways = attempts.map(({ explained }) => explained?.decisions?.filter(({ step }) => step === 'route') ?? [])
  const longest = ways.reduce((best, way) => (way.length > best.length ? way : best), [])
  return longest.map(({ what, facts = {} }) => ({
    node: textOf(facts, 'node'),
    type: textOf(facts, 'type'),
    output: textOf(facts, 'output'),
    why: facts.why === undefined ? what : textOf(facts, 'why'),
  }))
}

const textOf = (facts: Facts, name: string): string => String(facts[name] ?? '')

const PARTS = ['provider', 'model', 'method', 'path', 'surface', 'credential', 'headers']

function cacheOf(decision: Decision | undefined, { cached }: StoredRecord): LogExplanation['cache'] {
  const { key, ttl, named, ...facts } = decision?.facts ?? {}
  if (typeof key !== 'string') return { hit: cached, ...(decision && { why: decision.what }) }
  const parts = PARTS.flatMap(name => {
    const value = (facts as Facts)[name]
    return value === undefined || value === null || value === '' ? [] : [{ name, value: String(value) }]
  })
  return {
    hit: cached,
    key,
    ...(typeof ttl === 'number' && { ttl }),
    named: named === true,
    ...(parts.length && { parts }),
  }
}

function attemptOf(
  { record, explained }: ExplainedRecord,
  began: number,
  isAnswer: boolean,
): LogExplanation['attempts'][number] {
  const decisions = explained?.decisions ?? []
  const started = record.at - began
  const keyed = decisions.find(({ step }) => step === 'key')?.what
  const member = decisions.find(({ step }) => step === 'pool')?.what
  return {
    log_id: record.id,
    ...(record.step !== undefined && { step: record.step }),
    attempt: record.attempt,
    ...(record.provider !== undefined && { provider: record.provider }),
    ...(record.model !== undefined && { model: record.model }),
    status: record.status,
    ...(record.error && { error: record.error }),
    cached: record.cached,
    answered: isAnswer,
    ...(keyed !== undefined && { key: keyed }),
    ...(member !== undefined && { pool_member: member }),
    started: tenths(started),
    ...(record.firstByte !== undefined && { first_byte: tenths(started + record.firstByte) }),
    ...(record.firstWord !== undefined && { first_word: tenths(started + record.firstWord) }),
    ended: tenths(started + record.duration),
    ...(record.tokensIn !== undefined && { tokens_in: record.tokensIn }),
    ...(record.tokensOut !== undefined && { tokens_out: record.tokensOut }),
    ...(record.cost !== undefined && { cost: dollarText(record.cost) }),
    limits: decisions.filter(({ step }) => step === 'limits').map(limitOf),
  }
}

function limitOf({ what, facts = {} }: Decision): LogExplanation['attempts'][number]['limits'][number] {
  const { counts, limit, taken, window } = facts
  const amount = (value: unknown) => (counts === 'cost' ? `$${dollarText(Number(value ?? 0))}` : String(value ?? 0))
  return {
    key: what,
    counts: String(counts ?? ''),
    taken: amount(taken),
    limit: amount(limit),
    window: String(window ?? ''),
  }
}

/** Cloudflare's code for a provider without an answer. */
const NO_ANSWER = 2005

function summaryOf(
  { attempts, duration, cost }: Told,
  { provider, model, status, error, cached, firstByte }: StoredRecord,
): string {
  const who = provider === undefined ? 'The gateway' : `${provider}${model === undefined ? '' : `/${model}`}`
  const tries = attempts.length > 1 ? ` after ${attempts.length} attempts` : ''
  const took = ` in ${secondsText(duration)}`
  const amount = cost.all_attempts ?? cost.amount
  const paid = amount === undefined || cached ? '' : ` for $${amount}`
  if (cached) return `The cache answered for ${who}${tries}${took}.`
  if (status === 499)
    return `The client left before ${who} had answered${tries}, after ${secondsText(duration)}${paid}.`
  if (status < 400) return `${who} answered${tries}${took}${paid}.`
  const why = error ? `: ${error.code}${error.number === undefined ? '' : ` (${error.number})`}` : ''
  // Nobody was asked, or a provider was and did not answer.
  if (firstByte === undefined && status < 500 && error?.number !== NO_ANSWER)
    return `The gateway refused it${provider === undefined ? '' : ` on the way to ${who}`}${tries}${took}: ${status}${error ? ` ${error.code}` : ''}${paid}.`
  return `${who} came to ${status}${tries}${took}${why}${paid}.`
}

/** A time for people. @param milliseconds with decimals */
export function secondsText(milliseconds: number): string {
  if (milliseconds < 10) return `${Math.round(milliseconds * 10) / 10} ms`
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`
  const seconds = milliseconds / 1_000
  return seconds < 10
    ? `${seconds.toFixed(2)} s`
    : seconds < 100
      ? `${seconds.toFixed(1)} s`
      : `${Math.round(seconds)} s`
}
