import type { Conversation, Turn } from '../../conversation/conversation.ts'
import { Unsupported } from '../../conversation/errors.ts'
import type { Part, ToolResultPart } from '../../conversation/parts.ts'
import { alternate, argumentsObject, callNames, hoistSystem, textOf } from '../../conversation/turns.ts'
import { mediaPart } from './media.ts'
import { type ModelTraits, since } from './model.ts'
import { functionResponse } from './tool-results.ts'
import type { Content, WirePart } from './types.ts'

/**
 * What Gemini 3 takes in the place of a signature for a call that it did not make itself, or whose signature the caller
 * has lost: without any, the first call of each step is a 400.
 * @see https://ai.google.dev/gemini-api/docs/thought-signatures
 */
const NO_SIGNATURE = 'skip_thought_signature_validator'

export interface WrittenContents {
  contents: Content[]
  systemInstruction?: Content
}

/**
 * The turns as contents: `user` and `model`, neighbours joined, the results of a step alone in their content and in the
 * order of the calls, whatever the user says after them in a content of its own (T47).
 *
 * @param dropped is told what had to be left out
 * @throws Unsupported for media that Gemini cannot take, and for results of calls that nobody made
 */
export function writeContents(conversation: Conversation, traits: ModelTraits, dropped: Set<string>): WrittenContents {
  const paths = locate(conversation.turns)
  const names = callNames(conversation)
  const { system, rest } = hoistSystem(conversation.turns)
  const writer = new Map<Turn['role'], (parts: Part[]) => Content[]>([
    ['assistant', parts => modelContent(parts, traits, paths, dropped)],
    ['user', parts => userContents(parts, traits, paths, names)],
  ])
  const contents = alternate(rest).flatMap(turn => writer.get(turn.role)!(turn.parts))
  if (!system.length) return { contents }
  const instruction = system.map(part => ({ text: part.text }))
  // The first Gemma models know no system instruction; and Gemini answers nothing without a content.
  if (!contents.length) return { contents: [{ role: 'user', parts: instruction }] }
  if (traits.gemma && (traits.generation ?? 0) < 4 && contents[0]?.role === 'user') {
    const [first, ...others] = contents
    return { contents: [{ role: 'user', parts: [...instruction, ...(first?.parts ?? [])] }, ...others] }
  }
  return { contents, systemInstruction: { parts: instruction } }
}

/** Where each part stands in the caller's request, for messages about it. */
function locate(turns: readonly Turn[]): Map<Part, string> {
  const paths = new Map<Part, string>()
  const walk = (parts: readonly Part[], path: string, system: boolean) => {
    let at = 0
    for (const part of parts) {
      const spoken = part.type !== 'tool-call' && part.type !== 'tool-result' && part.type !== 'reasoning'
      const here = spoken ? `${path}.content[${at++}]` : path
      if (system && part.type !== 'text') throw new Unsupported(here, 'a system message of Gemini is text')
      paths.set(part, here)
      if (part.type === 'tool-result') walk(part.content, path, false)
    }
  }
  for (const [at, turn] of turns.entries()) walk(turn.parts, `messages[${at}]`, turn.role === 'system')
  return paths
}

function modelContent(
  parts: readonly Part[],
  traits: ModelTraits,
  paths: ReadonlyMap<Part, string>,
  dropped: Set<string>,
): Content[] {
  const wire: WirePart[] = []
  const calls: WirePart[] = []
  /** Signatures that came without a part of their own, as OpenRouter's clients give them back. */
  const loose: string[] = []
  for (const part of parts) {
    switch (part.type) {
      case 'text':
        if (part.text || part.signature) wire.push({ text: part.text, ...signed(part.signature) })
        break
      case 'refusal':
        if (part.text) wire.push({ text: part.text })
        break
      case 'reasoning':
        if (part.format !== 'google' || !since(traits, 2.5)) dropped.add('messages[].reasoning_content')
        else if (part.redacted) loose.push(part.redacted)
        else if (part.text || part.signature) wire.push({ text: part.text, thought: true, ...signed(part.signature) })
        break
      case 'tool-call': {
        const { id, name, arguments: text, signature } = part
        const call = { functionCall: { ...idFor(id, traits), name, args: argumentsObject(text) }, ...signed(signature) }
        wire.push(call)
        calls.push(call)
        break
      }
      case 'tool-result':
        break
      default:
        wire.push(mediaPart(part, paths.get(part) ?? 'messages'))
    }
  }
  for (const signature of loose) {
    const open = calls.find(call => !call.thoughtSignature)
    if (open) open.thoughtSignature = signature
    else wire.push({ text: '', thoughtSignature: signature })
  }
  // Only the current turn is checked, but every step gets it, so that a step does not change when it becomes history
  // and the prompt cache stays warm (T85). Of parallel calls only the first carries one.
  if (calls[0] && since(traits, 3) && !calls.some(call => call.thoughtSignature))
    calls[0].thoughtSignature = NO_SIGNATURE
  return wire.length ? [{ role: 'model', parts: wire }] : []
}

const signed = (signature: string | undefined) => (signature ? { thoughtSignature: signature } : {})

/** Gemini gives ids to its calls from 3 on; before, order and name alone tell which result belongs to which call. */
const idFor = (id: string, traits: ModelTraits) => (id && since(traits, 3) ? { id } : {})

function userContents(
  parts: readonly Part[],
  traits: ModelTraits,
  paths: ReadonlyMap<Part, string>,
  names: ReadonlyMap<string, string>,
): Content[] {
  const results: WirePart[] = []
  const others: WirePart[] = []
  for (const part of parts) {
    if (part.type === 'tool-result') {
      const { media, text } = splitResult(part, paths)
      // From Gemini 3 on a response holds pictures itself; for older models they follow in the user's content.
      const within = since(traits, 3) ? media : []
      if (!within.length) others.push(...media)
      const name = names.get(part.id) ?? part.name
      if (!name) throw new Unsupported(`${paths.get(part)}.tool_call_id`, 'this answers a call that no message made')
      const response = functionResponse(text, part.failed)
      results.push({
        functionResponse: { ...idFor(part.id, traits), name, response, ...(within.length > 0 && { parts: within }) },
      })
    } else if (part.type === 'text' || part.type === 'refusal') {
      if (part.text) others.push({ text: part.text })
    } else if (part.type === 'image' || part.type === 'audio' || part.type === 'file') {
      others.push(mediaPart(part, paths.get(part) ?? 'messages'))
    }
  }
  return [results, others].filter(list => list.length).map(list => ({ role: 'user', parts: list }))
}

function splitResult(part: ToolResultPart, paths: ReadonlyMap<Part, string>): { media: WirePart[]; text: string } {
  const media: WirePart[] = []
  for (const inner of part.content) {
    if (inner.type === 'image' || inner.type === 'audio' || inner.type === 'file')
      media.push(mediaPart(inner, paths.get(inner) ?? 'messages'))
  }
  return { media, text: textOf(part.content) }
}
