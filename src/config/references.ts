import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

/**
 * References in the file: `${NAME}` and `${NAME:-default}` read the environment, `${file:/run/secrets/x}` reads a
 * file (one that is named relatively is looked for beside postern.yaml; line ends at its end are not part of it).
 * The default stands in for a variable that is unset or empty and may hold references itself. `$${` is a plain `${`.
 */

export type Environment = Record<string, string | undefined>

/** Where references are looked up. */
export interface Sources {
  env: Environment
  /** The folder that relative file names start from. */
  folder: string
}

export interface Resolved {
  text: string
  /** The references met, as `${NAME}` without their defaults, which may be secret. */
  references: string[]
  /** What could not be resolved, as sentences; empty when `text` is whole. */
  faults: string[]
}

const head = /\$\{(?:([A-Za-z_][A-Za-z0-9_]*)(\}|:-)|(file:))/y
/** As `head`, but told apart from a fault in what a person meant as a reference. */
const marker = '${'

/** The end of the reference whose `{` stands at `open`, after its `}`; -1 when it is not closed. */
function closing(text: string, open: number): number {
  let depth = 0
  for (let at = open; at < text.length; at++) {
    if (text[at] === '{') depth++
    else if (text[at] === '}' && --depth === 0) return at + 1
  }
  return -1
}

const whyUnread: Record<string, string> = {
  ENOENT: 'there is no such file',
  EACCES: 'it may not be read by this user',
  EPERM: 'it may not be read by this user',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is not a folder',
}

/** Why a file could not be read, in words that say nothing of its content. */
export function unreadable(error: unknown): string {
  const code = error && typeof error === 'object' && 'code' in error ? String(error.code) : ''
  return whyUnread[code] ?? `it could not be read${code ? ` (${code})` : ''}`
}

function readSecret(name: string, folder: string): { text: string } | { fault: string } {
  const path = resolve(folder, name)
  try {
    return { text: readFileSync(path, 'utf8').replace(/(?:\r?\n)+$/, '') }
  } catch (error) {
    return { fault: `the file ${path} is wanted here, but ${unreadable(error)}` }
  }
}

/** Puts the values in the place of the references. Never throws: what is missing is in `faults`. */
export function resolveReferences(text: string, sources: Sources): Resolved {
  const references: string[] = []
  const faults: string[] = []
  let out = ''
  let at = 0
  const inner = (part: string) => {
    const resolved = resolveReferences(part, sources)
    references.push(...resolved.references)
    faults.push(...resolved.faults)
    return resolved.text
  }
  while (at < text.length) {
    const next = text.indexOf(marker, at)
    if (next < 0) break
    if (text[next - 1] === '$' && next > at) {
      out += `${text.slice(at, next - 1)}${marker}`
      at = next + marker.length
      continue
    }
    out += text.slice(at, next)
    head.lastIndex = next
    const found = head.exec(text)
    const end = closing(text, next + 1)
    if (!found || end < 0) {
      // The text is not repeated here: it may be a secret that happens to hold these two characters.
      faults.push(
        // biome-ignore lint/suspicious/noTemplateCurlyInString: it describes the references of the file
        '"${" begins a reference that is not ${NAME}, ${NAME:-default} or ${file:/path}; a plain "${" is written "$${"',
      )
      return { text: '', references, faults }
    }
    const body = text.slice(next + found[0].length, end - 1)
    if (found[3]) {
      const name = inner(body)
      references.push(`\${file:${body}}`)
      const secret = readSecret(name, sources.folder)
      if ('fault' in secret) faults.push(secret.fault)
      else out += secret.text
    } else {
      const name = found[1] as string
      const value = sources.env[name]
      references.push(`\${${name}}`)
      if (found[2] === ':-') out += value ? value : inner(body)
      else if (value !== undefined) out += value
      else faults.push(`the environment variable ${name} is not set (write \${${name}:-} if it may be missing)`)
    }
    at = end
  }
  return { text: out + text.slice(at), references, faults }
}

/** A text with its references made opaque to a YAML parser, and the way back. */
export interface Masked {
  text: string
  unmask(text: string): string
}

/**
 * Makes references opaque, so that `{ default: ${KEY}, other: ${KEY2:-a, b} }` is what it looks like and not a
 * mapping in a mapping: each character of a reference becomes one of Unicode's private ones. Lengths do not change,
 * so every position is that of the original.
 */
export function maskReferences(text: string): Masked {
  // The first private block that the text does not use itself; a text that uses all 24 of them is not masked at all.
  const blocks = Array.from({ length: 24 }, (_, block) => 0xe000 + block * 0x100)
  const base = blocks.find(start => {
    for (let at = 0; at < text.length; at++) if ((text.charCodeAt(at) & 0xff00) === start) return false
    return true
  })
  if (base === undefined || !text.includes(marker)) return { text, unmask: same => same }
  let out = ''
  let at = 0
  for (;;) {
    const next = text.indexOf(marker, at)
    if (next < 0) break
    head.lastIndex = next
    const end = head.test(text) ? closing(text, next + 1) : -1
    const reference = end < 0 ? '' : text.slice(next, end)
    if (!reference || reference.includes('\n')) {
      out += text.slice(at, next + marker.length)
      at = next + marker.length
      continue
    }
    out += text.slice(at, next)
    for (const character of reference.split('')) {
      const code = character.charCodeAt(0)
      out += code < 0x80 ? String.fromCharCode(base + code) : character
    }
    at = end
  }
  const unmask = (masked: string) => {
    let plain = ''
    for (let index = 0; index < masked.length; index++) {
      const code = masked.charCodeAt(index)
      plain += (code & 0xff00) === base ? String.fromCharCode(code - base) : masked[index]
    }
    return plain
  }
  return { text: out + text.slice(at), unmask }
}
