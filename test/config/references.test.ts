// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the configuration file
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { maskReferences, resolveReferences } from '../../src/config/references.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-references-'))
  writeFileSync(join(folder, 'secret'), 'from a file\r\n\n')
  writeFileSync(join(folder, 'plain'), '  two\nlines')
})
afterAll(() => rmSync(folder, { recursive: true }))

const resolve = (text: string, env: Record<string, string | undefined> = {}) => resolveReferences(text, { env, folder })

describe('references', () => {
  test.each([
    ['${A}', 'one'],
    ['x-${A}-${B}-y', 'x-one-two-y'],
    ['${A:-other}', 'one'],
    ['${NONE:-other}', 'other'],
    ['${EMPTY:-other}', 'other'],
    ['${EMPTY}', ''],
    ['${NONE:-}', ''],
    ['${NONE:-${B}}', 'two'],
    ['${NONE:-${ALSO_NONE:-deep}}', 'deep'],
    ['${NONE:-{"a":{"b":1}}}', '{"a":{"b":1}}'],
    ['$${A}', '${A}'],
    ['$$ $A {A}', '$$ $A {A}'],
    ['${file:secret}', 'from a file'],
    ['${file:plain}', '  two\nlines'],
    ['${file:${NAME}}', 'from a file'],
  ])('%s', (text, expected) => {
    const env = { A: 'one', B: 'two', EMPTY: '', NAME: 'secret' }
    expect(resolve(text, env)).toMatchObject({ text: expected, faults: [] })
  })

  test('a value is not read for references again', () => {
    expect(resolve('${A}', { A: '${B}', B: 'no' }).text).toBe('${B}')
  })

  test('an unset variable is named', () => {
    expect(resolve('${MY_KEY}').faults).toEqual([
      'the environment variable MY_KEY is not set (write ${MY_KEY:-} if it may be missing)',
    ])
  })

  test('every unset variable of one text is named', () => {
    expect(resolve('${ONE}${TWO}').faults).toHaveLength(2)
  })

  test('a missing file and a folder are told apart', () => {
    expect(resolve('${file:nowhere}').faults[0]).toContain('there is no such file')
    expect(resolve('${file:.}').faults[0]).toContain('it is a folder')
  })

  test.each(['${', '${A', '${}', '${1A}', '${A-b}', '${A?b}'])('%s is no reference', text => {
    expect(resolve(text, { A: 'x' }).faults).toHaveLength(1)
  })

  test('the default of a reference is never named: it may be a secret', () => {
    expect(resolve('${A:-pass}', {}).references).toEqual(['${A}'])
  })
})

describe('masking', () => {
  test('lengths stay and the way back gives the original', () => {
    const text = 'a: { b: ${A}, c: ${B:-x, y: "z"} } # ${C}'
    const masked = maskReferences(text)
    expect(masked.text).toHaveLength(text.length)
    expect(masked.text.slice(0, 8)).toBe('a: { b: ')
    expect(masked.text).not.toContain('${')
    expect(masked.unmask(masked.text)).toBe(text)
  })

  test('private characters of the text itself survive', () => {
    const text = '\ue041 ${A} \ue124'
    const masked = maskReferences(text)
    expect(masked.unmask(masked.text)).toBe(text)
  })

  test('what is not a whole reference on one line stays as it is', () => {
    for (const text of ['a: ${', 'a: ${A', 'a: ${A:-x\ny}']) expect(maskReferences(text).text).toBe(text)
  })
})
