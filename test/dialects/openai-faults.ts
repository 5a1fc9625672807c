import { Value } from '@sinclair/typebox/value'
import { ChatCompletionChunk } from '../../src/schemas/chat-chunk.ts'
import { ChatCompletion } from '../../src/schemas/chat-reply.ts'

interface Call {
  index: number
  id?: string
  function?: { name?: string; arguments?: string }
}
interface Heard {
  role: number
  finish: string[]
  calls: { id: string; name: string; arguments: string }[]
}

/**
 * What is wrong with a stream of chunks by OpenAI's own habits, which strict clients rely on. Empty for a faultless one.
 * @param text the bytes that a client got, whole
 */
export function streamFaults(text: string, includeUsage = true): string[] {
  const faults: string[] = []
  const frames = text.split('\n\n')
  if (frames.pop() !== '') faults.push('the last frame is not closed')
  const data = frames.map(frame =>
    frame
      .split('\n')
      .filter(line => !line.startsWith(':'))
      .join('\n'),
  )
  const heard = new Map<number, Heard>()
  const heads = new Set<string>()
  let usages = 0
  let failed = false
  for (const [at, line] of data.entries()) {
    const say = (what: string) => faults.push(`frame ${at + 1}: ${what}`)
    if (!line.startsWith('data: ') || line.includes('\n')) {
      say('is not one data line')
      continue
    }
    const last = at === data.length - 1
    if (line === 'data: [DONE]') {
      if (!last) say('[DONE] before the end')
      continue
    }
    const chunk = JSON.parse(line.slice(6))
    if (chunk.error) {
      failed = true
      if (!last) say('something behind an error')
      if (typeof chunk.error.message !== 'string' || 'choices' in chunk) say('not an error of OpenAI’s form')
      continue
    }
    for (const { path, message } of Value.Errors(ChatCompletionChunk, chunk)) say(`${path} ${message}`)
    heads.add(JSON.stringify([chunk.id, chunk.created, chunk.model]))
    if (!chunk.id) say('no id')
    if (!(chunk.created > 1_000_000_000 && chunk.created < 10_000_000_000)) say('created is not in seconds')
    if (usages) say('something behind the usage')
    if (chunk.usage) {
      usages++
      const { prompt_tokens, completion_tokens, total_tokens } = chunk.usage
      if (prompt_tokens + completion_tokens !== total_tokens) say('usage does not add up')
      if (chunk.choices.length) say('usage beside choices')
    } else if (includeUsage !== 'usage' in chunk) say('usage: null belongs where usage was asked for, and only there')
    if (!includeUsage && !chunk.choices.length) say('a chunk without choices for a client that did not ask for usage')
    for (const { index, delta, finish_reason } of chunk.choices) {
      const choice = heard.getOrInsertComputed(index, () => ({ role: 0, finish: [], calls: [] }))
      const spoken = Object.keys(delta).length > 0
      if (delta.role) choice.role++
      if (spoken && !choice.role) say('speaks before it has a role')
      if (spoken && choice.finish.length) say('speaks after its finish')
      if (finish_reason !== null) choice.finish.push(finish_reason)
      for (const call of (delta.tool_calls ?? []) as Call[]) {
        const known = choice.calls[call.index]
        if (known) {
          if (call.id || call.function?.name) say('names a call twice')
          known.arguments += call.function?.arguments ?? ''
        } else {
          if (call.index !== choice.calls.length) say(`call ${call.index} leaves a hole`)
          if (!call.id || !call.function?.name) say('opens a call without id or name')
          if (choice.calls.some(({ id }) => id === call.id)) say('an id twice')
          choice.calls.push({
            id: call.id ?? '',
            name: call.function?.name ?? '',
            arguments: call.function?.arguments ?? '',
          })
        }
      }
    }
  }
  const done = data.filter(line => line === 'data: [DONE]').length
  if (done !== (failed ? 0 : 1)) faults.push(`[DONE] ${done} times`)
  if (heads.size > 1) faults.push(`more than one id, time or model: ${[...heads].join(' ')}`)
  if (usages > 1) faults.push('usage more than once')
  if (failed) return faults
  if (!heard.size) faults.push('no choice at all')
  for (const [index, { role, finish, calls }] of heard) {
    if (role !== 1) faults.push(`choice ${index}: role ${role} times`)
    if (finish.length !== 1) faults.push(`choice ${index}: finish ${finish.length} times`)
    // A call that the token limit cut off, or that ends in a filter, may be half (T61, T63).
    if (finish[0] === 'tool_calls' || finish[0] === 'stop') faults.push(...callFaults(calls, index))
    if (calls.length && finish[0] === 'stop') faults.push(`choice ${index}: calls, but the finish is stop`)
  }
  return faults
}

function callFaults(calls: { arguments: string }[], choice: number): string[] {
  return calls.flatMap(({ arguments: text }, at) => {
    try {
      if (typeof JSON.parse(text) === 'object') return []
    } catch {}
    return [`choice ${choice}: the arguments of call ${at} are not an object: ${text}`]
  })
}

/** What is wrong with a whole answer. */
export function replyFaults(reply: unknown): string[] {
  const faults = [...Value.Errors(ChatCompletion, reply)].map(({ path, message }) => `${path} ${message}`)
  if (faults.length) return faults
  const { choices, usage, id } = reply as ChatCompletion
  if (!id) faults.push('no id')
  if (!choices.length) faults.push('no choice at all')
  if (usage && usage.prompt_tokens + usage.completion_tokens !== usage.total_tokens)
    faults.push('usage does not add up')
  for (const { index, message, finish_reason } of choices) {
    const calls = (message.tool_calls ?? []) as { id?: string; function: { arguments: string } }[]
    if (new Set(calls.map(call => call.id || '')).size !== calls.length) faults.push('an id twice')
    if (calls.length && finish_reason === 'stop') faults.push(`choice ${index}: calls, but the finish is stop`)
    if (finish_reason === 'tool_calls')
      faults.push(
        ...callFaults(
          calls.map(call => call.function),
          index,
        ),
      )
  }
  return faults
}
