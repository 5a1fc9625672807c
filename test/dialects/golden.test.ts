import { describe, expect, test } from 'bun:test'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { JsonObject } from '../../src/conversation/conversation.ts'
import { ProviderFailure } from '../../src/conversation/errors.ts'
import { openaiChat } from '../../src/dialects/openai-chat/index.ts'
import { context, corpus, label, masked, replyOf, sliced, streams, translate, whole } from './corpus.ts'
import { replyFaults, streamFaults } from './openai-faults.ts'

/**
 * Every fixture of every dialect as a client of OpenAI's dialect gets it, held against files that a person has read.
 * `UPDATE_GOLDEN=1 bun test test/dialects/golden.test.ts` writes them anew; read the difference before it is committed.
 */
const folder = `${import.meta.dir}/../golden/`
const update = Boolean(process.env.UPDATE_GOLDEN)
const began = Math.floor(Date.now() / 1_000)

function compare(path: string, text: string): void {
  if (update) {
    mkdirSync(dirname(folder + path), { recursive: true })
    writeFileSync(folder + path, text)
  }
  expect(existsSync(folder + path), `${path} is missing: UPDATE_GOLDEN=1 writes it`).toBe(true)
  expect(text).toBe(readFileSync(folder + path, 'utf8'))
}

const show = (value: unknown) => (value === undefined ? 'none' : JSON.stringify(value))

/** OpenAI itself says `stop` behind the call of a named tool, and what it says is left as it is (wire-formats 1.2). */
const beside = (path: string, faults: string[]) =>
  path.includes('openai-named-tool-stops') ? faults.filter(fault => !fault.endsWith('but the finish is stop')) : faults

describe('streams', () => {
  test.each(streams.map(each => [label(each), each] as const))('%s', async (path, recorded) => {
    const { text, outcome, refused } = await translate(recorded, sliced(recorded.bytes, 64))
    const head = refused
      ? `refused before the first byte with ${outcome.error!.status}`
      : outcome.error
        ? `failed in mid-stream with ${outcome.error.status}`
        : `ended well: ${outcome.finish ?? 'no reason given'}`
    const body = refused ? `${JSON.stringify(openaiChat.writeError(outcome.error!), null, 2)}\n` : text
    const lines = body.replaceAll('\n\n', '\n')
    compare(`${path}.stream.txt`, masked(`${head}\nusage: ${show(outcome.usage)}\n\n${lines}`, began))
    if (!refused) expect(beside(path, streamFaults(text))).toEqual([])
  })

  test.each(streams.map(each => [label(each), each] as const))('%s without usage asked for', async (path, recorded) => {
    const { text, refused } = await translate(recorded, [recorded.bytes], { includeUsage: false })
    if (!refused) expect(beside(path, streamFaults(text, false))).toEqual([])
  })
})

describe('whole answers', () => {
  test.each(whole.map(each => [label(each), each] as const))('%s', (path, { dialect, bytes, quirks }) => {
    let text: string
    try {
      const reply = dialect.readReply(JSON.parse(new TextDecoder().decode(bytes)), { memory: {}, quirks })
      const written = openaiChat.writeReply(reply, context())
      text = `usage: ${show(reply.usage)}\n\n${JSON.stringify(written, null, 2)}\n`
      expect(replyFaults(JSON.parse(JSON.stringify(written)))).toEqual([])
    } catch (fault) {
      if (!(fault instanceof ProviderFailure)) throw fault
      text = `refused with ${fault.error.status}\n\n${JSON.stringify(openaiChat.writeError(fault.error), null, 2)}\n`
    }
    compare(`${path}.whole.txt`, masked(text, began))
  })
})

/** What a client that joins the chunks ends up with, as the message of a whole answer. */
function joined(text: string): JsonObject[] {
  const choices = new Map<number, JsonObject>()
  for (const line of text.split('\n')) {
    if (!line.startsWith('data: {')) continue
    for (const { index, delta, finish_reason } of JSON.parse(line.slice(6)).choices ?? []) {
      const choice = choices.getOrInsertComputed(index, () => ({ index, content: '', calls: [] }))
      if (delta.content) choice.content = `${choice.content}${delta.content}`
      if (delta.refusal) choice.refusal = `${choice.refusal ?? ''}${delta.refusal}`
      if (delta.reasoning_content) choice.reasoning = `${choice.reasoning ?? ''}${delta.reasoning_content}`
      const calls = choice.calls as { id: string; name: string; arguments: string }[]
      for (const call of delta.tool_calls ?? []) {
        if (call.id) calls[call.index] = { id: call.id, name: call.function.name, arguments: '' }
        calls[call.index]!.arguments += call.function.arguments
      }
      if (finish_reason) choice.finish = finish_reason
    }
  }
  return [...choices.values()].sort((a, b) => Number(a.index) - Number(b.index))
}

describe('a stream, collected, is the answer that a client joins from its chunks', () => {
  test.each(streams.map(each => [label(each), each] as const))('%s', async (_, recorded) => {
    const { text, outcome } = await translate(recorded, [recorded.bytes])
    if (outcome.error) return
    const reply = openaiChat.writeReply(replyOf(recorded), context()) as {
      choices: { index: number; finish_reason: string; message: JsonObject }[]
    }
    const expected = reply.choices.map(({ index, message, finish_reason }) => ({
      index,
      content: message.content ?? '',
      calls: ((message.tool_calls ?? []) as { id: string; function: JsonObject }[]).map(call => ({
        id: call.id,
        ...call.function,
      })),
      ...(message.refusal !== null && { refusal: message.refusal }),
      ...(message.reasoning_content !== undefined && { reasoning: message.reasoning_content }),
      finish: finish_reason,
    }))
    expect(JSON.parse(masked(JSON.stringify(joined(text)), began))).toEqual(
      JSON.parse(masked(JSON.stringify(expected), began)),
    )
  })
})

test('no golden file is left without its fixture', () => {
  const left = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(path => /\.(stream|whole)\.txt$/.test(path))
    .filter(path => !corpus.some(each => path === `${label(each)}.${each.stream ? 'stream' : 'whole'}.txt`))
  expect(left).toEqual([])
})
