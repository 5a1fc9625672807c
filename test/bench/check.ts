import type { Format } from './answers.ts'
import type { Bench } from './rows.ts'
import type { GatewayName } from './subject.ts'
import { type Call, SERIAL, serial } from './wire.ts'

/** Before anything is measured: what is measured must be the right thing. */

async function answerTo(
  call: Call,
  without: string[] = [],
): Promise<{ status: number; text: string; headers: Headers }> {
  const headers = Object.fromEntries(Object.entries(call.headers).filter(([name]) => !without.includes(name)))
  const response = await fetch(`http://127.0.0.1:${call.port}${call.path}`, {
    method: 'POST',
    headers,
    body: call.body.replace(SERIAL, serial(Date.now())),
  })
  return { status: response.status, text: await response.text(), headers: response.headers }
}

/**
 * Asks the gateway and nginx once each and throws when an answer is not what the row is about: a whole answer or a
 * stream of so many words, in OpenAI's format from the gateway whatever the provider speaks.
 */
export async function checkAnswers(bench: Bench, row: 'request' | 'chunk' | 'translate'): Promise<void> {
  const format: Format = row === 'translate' ? 'anthropic' : 'openai'
  const stream = row !== 'request'
  const words = 30
  await bench.plan(words, 2)
  for (const subject of bench.nginx ? [bench.postern, bench.nginx] : [bench.postern]) {
    const call = subject.call(format, stream)
    const { status, text } = await answerTo(call)
    const fault = (what: string) => new Error(`${subject.name} answered ${status}, ${what}: ${text.slice(-300)}`)
    if (status !== 200) throw fault('not 200')
    const translated = format === 'openai' || call.path.endsWith('/chat/completions')
    if (!stream && !text.includes('"chat.completion"')) throw fault('not a chat completion')
    if (stream && translated && !text.trimEnd().endsWith('data: [DONE]')) throw fault('no [DONE] at the end')
    const sent = text.split(translated ? '"content":" ' : '"text":" ').length - 1
    if (stream && sent !== words) throw fault(`${sent} words`)
  }
  const open = await answerTo(bench.postern.call(format, stream), ['authorization'])
  if (bench.postern.name === 'Postern' && open.status !== 401) {
    bench.note(`NOT COMPARABLE: without a token Postern answered ${open.status}, not 401`)
  }
}

/** The gateways of which more is asked do what their rows are about. Throws when one does not. */
export async function checkGateway(bench: Bench, gateway: GatewayName): Promise<void> {
  if (bench.postern.name !== 'Postern') return
  const call = bench.postern.call('openai', false, gateway)
  await answerTo(call)
  const { status, headers } = await answerTo(call)
  const fault = (what: string) => new Error(`the gateway "${gateway}" answered ${status}, ${what}`)
  if (status !== 200) throw fault('not 200')
  const kept = headers.get('cf-aig-cache-status')
  if (kept !== (gateway === 'cached' ? 'HIT' : 'MISS')) throw fault(`and its cache says ${kept}`)
  if (gateway === 'controlled' && !headers.has('ratelimit-remaining')) throw fault('and counts no requests')
  if (gateway === 'recorded' && !headers.has('cf-aig-log-id')) throw fault('and keeps no record')
}
