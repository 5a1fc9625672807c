import { type Family, family } from './family.ts'
import type { CallerSeries, PlaceSeries } from './series.ts'

const PICO = 1e12

/** The tokens of a usage by the value of the label `type`. `input` counts cached ones too, and `output` reasoning. */
const TOKENS = [
  ['input', 'input'],
  ['output', 'output'],
  ['cached_input', 'cacheRead'],
  ['cache_write', 'cacheWrite'],
  ['reasoning', 'reasoning'],
] as const satisfies readonly (readonly [string, keyof CallerSeries])[]

/** The counted attempts as metrics. Labels that do not apply (a refusal before a provider was chosen) are empty. */
export function seriesFamilies(places: readonly PlaceSeries[]): Family[] {
  const requests = family(
    'counter',
    'postern_requests_total',
    'Attempts at answering, by the class of their status; 4xx counts clients that left, too.',
  )
  const errors = family('counter', 'postern_errors_total', 'Attempts that failed, by the word for what went wrong.')
  const tokens = family(
    'counter',
    'postern_tokens_total',
    'Tokens; input holds cached_input and cache_write, output reasoning.',
  )
  const cost = family('counter', 'postern_cost_dollars_total', 'What attempts cost, in USD.')
  const duration = family(
    'histogram',
    'postern_request_duration_seconds',
    'From the beginning of an attempt to its last byte.',
  )
  const firstByte = family('histogram', 'postern_time_to_first_byte_seconds', 'To the status line of the provider.')
  const firstWord = family(
    'histogram',
    'postern_time_to_first_token_seconds',
    'To the first byte of a stream that went to the client.',
  )
  const cache = family('counter', 'postern_cache_requests_total', 'Requests that the answer cache was asked for.')
  const refusals = family(
    'counter',
    'postern_limit_refusals_total',
    'Requests refused by a limit, a budget or missing credit.',
  )
  const retries = family('counter', 'postern_retries_total', 'Attempts after the first one.')

  for (const place of places) {
    const { labels } = place
    place.duration.write(duration.name, labels, duration.values)
    place.firstByte.write(firstByte.name, labels, firstByte.values)
    place.firstWord.write(firstWord.name, labels, firstWord.values)
    for (const [code, value] of place.errors) errors.values.push({ labels: { ...labels, code }, value })
    if (place.hits) cache.values.push({ labels: { ...labels, result: 'hit' }, value: place.hits })
    if (place.misses) cache.values.push({ labels: { ...labels, result: 'miss' }, value: place.misses })
    if (place.retries) retries.values.push({ labels, value: place.retries })
    for (const caller of place.callers.values()) {
      const { token } = caller
      for (let digit = 1; digit < caller.requests.length; digit++) {
        const value = caller.requests[digit]!
        if (value) requests.values.push({ labels: { ...labels, status: `${digit}xx`, token }, value })
      }
      for (const [type, member] of TOKENS)
        if (caller[member]) tokens.values.push({ labels: { ...labels, type, token }, value: caller[member] })
      if (caller.pico) cost.values.push({ labels: { ...labels, token }, value: caller.pico / PICO })
      for (const [reason, value] of caller.refusals)
        refusals.values.push({ labels: { ...labels, reason, token }, value })
    }
  }
  return [requests, errors, tokens, cost, duration, firstByte, firstWord, cache, refusals, retries]
}
