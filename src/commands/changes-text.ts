import type { BodyChange } from '../schemas/management/explain.ts'
import { type Colour, cutTo, type Paint, padTo } from './paint.ts'

const SIGNS: Record<BodyChange['change'], { sign: string; colour: Colour }> = {
  changed: { sign: '~', colour: 'yellow' },
  moved: { sign: '>', colour: 'cyan' },
  dropped: { sign: '-', colour: 'red' },
  added: { sign: '+', colour: 'green' },
  kept: { sign: '=', colour: 'dim' },
}

/** Beyond it a terminal only scrolls. */
const MOST_LINES = 60
const WIDEST_PATH = 34

/** What became of a body's members, a line each; what was kept in a single one. */
export function changeLines(changes: readonly BodyChange[], paint: Paint, width: number): string[] {
  const told = changes.filter(({ change }) => change !== 'kept')
  const shown = told.slice(0, MOST_LINES)
  const paths = Math.min(WIDEST_PATH, Math.max(0, ...shown.map(({ path, to }) => pathsText(path, to).length)) + 2)
  const lines = shown.flatMap(({ change, path, to, before, after }) => {
    const { sign, colour } = SIGNS[change]
    const place = pathsText(path, to)
    const value =
      before !== undefined && after !== undefined ? `${shortened(before)} → ${after}` : (before ?? after ?? '')
    const head = `${paint(colour, sign)} `
    // What does not fit beside it stands below it.
    const fits = change !== 'changed' || Bun.stringWidth(value) <= width - paths - 2
    if (place.length < paths && fits)
      return [head + padTo(place, paths) + paint('dim', cutTo(value, width - paths - 2))]
    return [head + cutTo(place, width - 2), `    ${paint('dim', cutTo(value, width - 4))}`]
  })
  if (told.length > shown.length) lines.push(paint('dim', `… and ${told.length - shown.length} more: --json`))
  const kept = changes.filter(({ change }) => change === 'kept')
  if (kept.length) {
    const names = kept.map(({ path }) => path || 'all of it').join(', ')
    lines.push(paint('dim', cutTo(`= kept: ${names}`, width)))
  }
  return lines
}

const pathsText = (path: string, to: string | undefined) => (to === undefined ? path : `${path} → ${to}`)

/** So that what it became is seen, too. */
const shortened = (text: string) => (text.length > 32 ? `${text.slice(0, 31)}…` : text)
