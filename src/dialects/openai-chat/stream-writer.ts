import type { JsonObject } from '../../conversation/conversation.ts'
import type { ProviderError } from '../../conversation/errors.ts'
import type { Event } from '../../conversation/events.ts'
import type { Usage } from '../../conversation/reply.ts'
import type { Frame } from '../../stream/frame.ts'
import type { WriteContext, Writer } from '../dialect.ts'
import { writeAnnotation } from './annotations.ts'
import { writeError } from './errors.ts'
import { writeFinish } from './finish-reason.ts'
import { mintId, seconds } from './identity.ts'
import { writeDetail } from './reasoning.ts'
import { writeUsage } from './usage.ts'

interface ChoiceState {
  roleSaid: boolean
  finished: boolean
  called: boolean
  /** Text of reasoning blocks that may yet get a signature: the entry that goes back must hold both. */
  blocks: Map<number, string>
}

/** What one batch of events says of one choice. */
interface Draft {
  delta: JsonObject
  fields?: JsonObject
  logprobs?: unknown
  finish?: string
}

/**
 * Writes chunks: one id, one time and one model for the whole stream, `role` once on the first delta, `finish_reason`
 * once in a chunk of its own, usage in its own last chunk and only when asked for, `[DONE]` once.
 */
export function writer(context: WriteContext): Writer {
  const choices = new Map<number, ChoiceState>()
  let head = ''
  let id = ''
  let created = 0
  let model = ''
  let sticky: JsonObject = {}
  /** Members that belong on a single chunk, waiting for the next one. */
  let waiting: JsonObject | undefined
  let usage: Usage | undefined
  let spokenLength = 0

  const settleHead = () => {
    id ||= mintId('chatcmpl-')
    created ||= seconds(undefined)
    head = `{"id":${JSON.stringify(id)},"object":"chat.completion.chunk","created":${created},"model":${JSON.stringify(model || context.model)}`
    for (const name in sticky) head += `,${JSON.stringify(name)}:${JSON.stringify(sticky[name])}`
    head += ',"choices":['
  }
  const frame = (inside: string, usage?: JsonObject): Frame => {
    if (!head) settleHead()
    let tail = ']'
    if (usage) tail += `,"usage":${JSON.stringify(usage)}`
    else if (context.includeUsage) tail += ',"usage":null'
    for (const name in waiting) tail += `,${JSON.stringify(name)}:${JSON.stringify(waiting[name])}`
    waiting = undefined
    return { data: `${head}${inside}${tail}}` }
  }
  const stateOf = (index: number) =>
    choices.getOrInsertComputed(index, () => ({ roleSaid: false, finished: false, called: false, blocks: new Map() }))
  const chunk = (index: number, delta: JsonObject, finish: string | null, draft?: Draft) =>
    frame(
      JSON.stringify({
        index,
        delta,
        ...(draft?.logprobs !== undefined && { logprobs: draft.logprobs }),
        finish_reason: finish,
        ...draft?.fields,
      }),
    )

  /** The chunks that one batch makes of one choice: what was said, then why it stopped. */
  const flush = (index: number, draft: Draft, frames: Frame[]) => {
    const state = stateOf(index)
    const ends = draft.finish !== undefined && !state.finished
    const spoken = Object.keys(draft.delta).length > 0
    if (spoken || draft.logprobs !== undefined || (draft.fields && !ends)) {
      const delta = state.roleSaid
        ? draft.delta
        : { role: 'assistant', ...(!('content' in draft.delta) && { content: null }), ...draft.delta }
      state.roleSaid = true
      // What is said of the choice stands beside the reason for its end, where there is one.
      frames.push(chunk(index, delta, null, ends ? { ...draft, fields: undefined } : draft))
    }
    if (!ends) return
    state.finished = true
    const delta = state.roleSaid ? {} : { role: 'assistant', content: '' }
    state.roleSaid = true
    frames.push(chunk(index, delta, draft.finish!, { delta, fields: draft.fields }))
  }

  return {
    write(events) {
      const frames: Frame[] = []
      const drafts = new Map<number, Draft>()
      const draftOf = (index: number) => drafts.getOrInsertComputed(index, () => ({ delta: {} }))
      for (const event of events) {
        switch (event.type) {
          case 'start':
            id ||= event.id ?? ''
            model ||= event.model ?? ''
            created ||= event.created ? seconds(event.created) : 0
            break
          case 'usage':
            usage = event.usage
            break
          case 'ping':
            // An idle proxy cuts a silent stream; before the stream has a name only a bare comment can go out (T01, T31).
            frames.push(id ? chunk(0, {}, null) : { data: 'keep-alive', comment: true })
            break
          case 'unknown':
            if (event.at === 'choice') {
              const draft = draftOf(event.choice)
              draft.fields = { ...draft.fields, ...event.fields }
            } else if (event.at === 'message') Object.assign(draftOf(event.choice).delta, event.fields)
            else {
              for (const name in event.fields) {
                const value = event.fields[name]
                // Plain words such as `system_fingerprint` stand on every chunk, as OpenAI has it; lists only once.
                if (typeof value === 'object') waiting = { ...waiting, [name]: value }
                else sticky = { ...sticky, [name]: value }
              }
              head = ''
            }
            break
          case 'logprobs':
            draftOf(event.choice).logprobs = event.logprobs
            break
          case 'finish':
            draftOf(event.choice).finish = writeFinish(event.finish)
            break
          case 'error':
          case 'end':
            break
          default:
            spokenLength += lengthOf(event)
            speak(event, draftOf(event.choice).delta, stateOf(event.choice))
        }
      }
      for (const [index, draft] of drafts) flush(index, draft, frames)
      return frames
    },
    end() {
      const frames: Frame[] = []
      if (!choices.size) stateOf(0)
      // The provider said that it was done, but not why: that is an ordinary stop, or its calls are the reason.
      for (const [index, state] of choices)
        if (!state.finished) flush(index, { delta: {}, finish: state.called ? 'tool_calls' : 'stop' }, frames)
      usage ??= context.estimate?.(spokenLength)
      if (context.includeUsage && usage) frames.push(frame('', writeUsage(usage)))
      frames.push({ data: '[DONE]' })
      return frames
    },
    fail(error: ProviderError) {
      return [{ data: JSON.stringify(writeError(error)) }]
    },
  }
}

type Spoken = Exclude<Event, { type: 'start' | 'usage' | 'ping' | 'unknown' | 'logprobs' | 'finish' | 'error' | 'end' }>

const lengthOf = (event: Spoken): number => ('text' in event ? event.text.length : 0)

/** Adds what an event says to the delta of its batch. */
function speak(event: Spoken, delta: JsonObject, state: ChoiceState): void {
  switch (event.type) {
    case 'text':
      delta.content = ((delta.content as string | undefined) ?? '') + event.text
      if (event.signature) delta.extra_content = { google: { thought_signature: event.signature } }
      break
    case 'refusal':
      delta.refusal = ((delta.refusal as string | undefined) ?? '') + event.text
      break
    case 'reasoning': {
      if (event.text) delta.reasoning_content = ((delta.reasoning_content as string | undefined) ?? '') + event.text
      const whole = (state.blocks.get(event.block) ?? '') + event.text
      if (event.format && !event.native) state.blocks.set(event.block, whole)
      const detail = writeDetail(event.native ? event : { ...event, text: whole }, event.block)
      if (detail) push(delta, 'reasoning_details', detail)
      break
    }
    case 'tool-call':
      state.called = true
      push(delta, 'tool_calls', {
        index: event.call,
        id: event.id,
        type: 'function',
        function: { name: event.name, arguments: '' },
        ...(event.signature && { extra_content: { google: { thought_signature: event.signature } } }),
      })
      break
    case 'tool-arguments': {
      const calls = delta.tool_calls as { index: number; function: { arguments: string } }[] | undefined
      const open = calls?.find(call => call.index === event.call)
      if (open) open.function.arguments += event.text
      else push(delta, 'tool_calls', { index: event.call, function: { arguments: event.text } })
      break
    }
    case 'citation':
      push(delta, 'annotations', writeAnnotation(event.citation))
  }
}

function push(delta: JsonObject, name: string, entry: unknown): void {
  const list = delta[name] as unknown[] | undefined
  if (list) list.push(entry)
  else delta[name] = [entry]
}
