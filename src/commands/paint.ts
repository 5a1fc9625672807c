/** Colours of a terminal. Without one, the text as it is. */
export type Paint = (colour: Colour, text: string) => string
export type Colour = keyof typeof CODES

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36 }

const painted: Paint = (colour, text) => (text ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text)
const plain: Paint = (_, text) => text

/** @see https://no-color.org */
export function paintFor(stream: { isTTY?: boolean }, env: Record<string, string | undefined>): Paint {
  return stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb' ? painted : plain
}

/** By how it went: well, badly by the caller's fault, badly by anybody else's. */
export const colourOf = (status: number): Colour => (status < 400 ? 'green' : status < 500 ? 'yellow' : 'red')

/** What a text of somebody else's may not do to a terminal: move its cursor, colour it, or ring its bell. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g
export const harmless = (text: string): string => text.replace(CONTROLS, '\ufffd')

/** One line of it, no wider than so many columns. */
export function cutTo(text: string, width: number): string {
  const line = harmless(text.replace(/\s+/g, ' '))
  if (Bun.stringWidth(line) <= width) return line
  let cut = ''
  let taken = 0
  for (const letter of line) {
    taken += Bun.stringWidth(letter)
    if (taken > width - 1) break
    cut += letter
  }
  return `${cut}…`
}

/** With spaces behind it to so many columns. */
export const padTo = (text: string, width: number): string =>
  text + ' '.repeat(Math.max(0, width - Bun.stringWidth(text)))

/** Words in lines that are no wider than so many columns; a word that is wider is broken. */
export function wrapTo(text: string, width: number): string[] {
  const lines: string[] = []
  for (const paragraph of harmless(text).split('\n')) {
    let line = ''
    const first = lines.length
    for (let word of paragraph.split(/[ \t\r]+/)) {
      while (Bun.stringWidth(word) > width) {
        if (line) lines.push(line)
        line = ''
        let head = ''
        for (const letter of word) {
          if (Bun.stringWidth(head + letter) > width) break
          head += letter
        }
        // A column narrower than a letter cannot be filled.
        head ||= String.fromCodePoint(word.codePointAt(0)!)
        lines.push(head)
        word = word.slice(head.length)
      }
      if (line && Bun.stringWidth(line) + 1 + Bun.stringWidth(word) > width) {
        lines.push(line)
        line = word
      } else line = line ? `${line} ${word}` : word
    }
    if (line || lines.length === first) lines.push(line)
  }
  return lines
}
