import type { JsonObject } from '../../conversation/conversation.ts'
import type { Event } from '../../conversation/events.ts'
import type { Memory } from '../dialect.ts'
import { citationReader } from './citations.ts'
import { brokenCandidate } from './errors.ts'
import { readFinish } from './finish-reason.ts'
import { readLogprobs } from './logprobs.ts'
import { type ArgumentBuilder, argumentBuilder } from './partial-arguments.ts'
import type { Candidate, FunctionCall, WirePart } from './types.ts'

/** Reads one choice; it holds what that choice has said so far. */
export interface CandidateReader {
  read(candidate: Candidate): Event[]
  /** The prompt was refused before there was a candidate. */
  block(reason: string): Event[]
  finished(): boolean
}

/** Members of a candidate that have an event of their own; the others are kept under their names. */
const READ = ['index', 'content', 'finishReason', 'citationMetadata', 'logprobsResult', 'tokenCount']

/** What Gemini says of every call that went well. */
const NO_NEWS = 'Model generated function call(s).'

export function candidateReader(choice: number, memory: Memory, mint: () => string): CandidateReader {
  const citations = citationReader()
  const ids = new Set<string>()
  const shown = { calls: false, content: false }
  let calls = 0
  let block = -1
  let thinking = false
  let finished = false
  /** The other members of the candidate, as they were given last. */
  let told: string | undefined
  /** A call whose arguments arrive in pieces. */
  let open: { call: number | undefined; builder: ArgumentBuilder } | undefined

  return {
    read(candidate) {
      const events: Event[] = []
      const images: JsonObject[] = []
      const others: WirePart[] = []
      for (const part of candidate.content?.parts ?? []) readPart(part, events, images, others)
      const message = { ...(images.length > 0 && { images }), ...(others.length > 0 && { google_parts: others }) }
      if (images.length || others.length) events.push({ type: 'unknown', at: 'message', choice, fields: message })
      for (const citation of citations.read(candidate)) events.push({ type: 'citation', choice, citation })
      const logprobs = candidate.logprobsResult && readLogprobs(candidate.logprobsResult)
      if (logprobs) events.push({ type: 'logprobs', choice, logprobs })
      const fields = unread(candidate)
      const text = JSON.stringify(fields)
      // Streams repeat what they know of the sources from chunk to chunk.
      if (fields && text !== told) events.push({ type: 'unknown', at: 'choice', choice, fields })
      told = text ?? told
      const reason = candidate.finishReason
      if (reason && reason !== 'FINISH_REASON_UNSPECIFIED' && !finished) {
        if (open) closeCall(events)
        events.push(finish(reason, candidate.finishMessage))
      }
      return events
    },
    block(reason) {
      if (finished) return []
      finished = true
      return [{ type: 'finish', choice, finish: 'content-filter', native: reason }]
    },
    finished: () => finished,
  }

  function finish(reason: string, said: string | undefined): Event {
    finished = true
    const finish = readFinish(reason, shown)
    if (finish === 'error') return { type: 'error', error: brokenCandidate(reason, said) }
    return { type: 'finish', choice, finish, native: reason }
  }

  function readPart(part: WirePart, events: Event[], images: JsonObject[], others: WirePart[]): void {
    const { text, thought, functionCall, inlineData, thoughtSignature } = part
    const signature = thoughtSignature ? { signature: thoughtSignature } : {}
    if (functionCall) {
      thinking = false
      readCall(functionCall, signature, events)
    } else if (
      typeof text === 'string' ||
      Object.keys(part).every(key => key === 'thoughtSignature' || key === 'thought')
    ) {
      // A part of nothing but a signature, even one with an empty text, must come back in the next turn (T46).
      if (!text && !thoughtSignature) return
      if (thought) {
        if (!thinking) block++
        // What is signed is closed: the next thought is one of its own.
        thinking = !thoughtSignature
        events.push({ type: 'reasoning', choice, block, text: text ?? '', format: 'google', ...signature })
      } else {
        thinking = false
        say(text ?? '', signature, events)
      }
    } else {
      shown.content = true
      thinking = false
      if (inlineData?.data && inlineData.mimeType?.startsWith('image/') && !thought) {
        const image = { type: 'image_url', image_url: { url: `data:${inlineData.mimeType};base64,${inlineData.data}` } }
        images.push({
          ...image,
          ...(thoughtSignature && { extra_content: { google: { thought_signature: thoughtSignature } } }),
        })
      } else others.push(part)
    }
  }

  function say(text: string, signature: { signature?: string }, events: Event[]): void {
    if (text) shown.content = true
    citations.text(text)
    events.push({ type: 'text', choice, text, ...signature })
  }

  /** A call comes whole, or opens with its name and goes on in parts without one until a part says no more (trap 31). */
  function readCall(wire: FunctionCall, signature: { signature?: string }, events: Event[]): void {
    const { name, args, partialArgs, willContinue } = wire
    if (name) {
      if (open) closeCall(events)
      const call = openCall(name, wire.id, signature, events)
      if (!partialArgs && !willContinue) {
        giveArguments(call, JSON.stringify(args ?? {}), events)
        return
      }
      open = { call, builder: argumentBuilder() }
    }
    if (!open) return
    for (const piece of partialArgs ?? []) open.builder.add(piece)
    if (!willContinue) closeCall(events)
  }

  /** @returns the call's number; undefined for the tool that stands in for a JSON schema, whose input is the text (T73) */
  function openCall(name: string, given: string | undefined, signature: { signature?: string }, events: Event[]) {
    if (name === memory.jsonTool) {
      if (signature.signature) say('', signature, events)
      return undefined
    }
    shown.calls = true
    let id = given || mint()
    while (ids.has(id)) id = mint()
    ids.add(id)
    events.push({ type: 'tool-call', choice, call: calls, id, name: memory.toolNames?.get(name) ?? name, ...signature })
    return calls++
  }

  function giveArguments(call: number | undefined, text: string, events: Event[]): void {
    if (call === undefined) say(text, {}, events)
    else events.push({ type: 'tool-arguments', choice, call, text })
  }

  function closeCall(events: Event[]): void {
    if (open) giveArguments(open.call, open.builder.text(), events)
    open = undefined
  }
}

function unread(candidate: Candidate): JsonObject | undefined {
  let fields: JsonObject | undefined
  for (const key in candidate) {
    const value = candidate[key]
    if (READ.includes(key) || value === undefined || value === null) continue
    if (key === 'finishMessage' && value === NO_NEWS) continue
    fields = { ...fields, [key]: value }
  }
  return fields
}
