/** The numbers in the middle, and the table. */

/** The value below which the share `q` of the values lies. */
export function quantile(values: number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

export type Unit = 'µs' | 'ms' | 'MB'

export interface Row {
  measure: string
  unit: Unit
  postern: number | null
  nginx: number | null
  /** Of the rounds' ratios the middle one, where rounds are compared in pairs. */
  ratio: number | null
  /** At most so many times nginx, or so many units; absent where the row is only for information. */
  bound?: { ratio: number } | { value: number }
  /** The numbers of each round. */
  rounds?: { postern: number[]; nginx: number[] }
  /** Why there is no number: its bound, whatever it was, is missed. */
  failure?: string
}

/** Whether the bound is kept; null where there is none. A number that could not be had has missed its bound. */
export function kept(row: Row): boolean | null {
  if (row.failure) return false
  if (!row.bound) return null
  if ('ratio' in row.bound) return row.ratio !== null && row.ratio <= row.bound.ratio
  return row.postern !== null && row.postern <= row.bound.value
}

function figure(value: number | null, unit: Unit): string {
  if (value === null || !Number.isFinite(value)) return '–'
  return `${value.toFixed(Math.abs(value) < 100 ? 1 : 0)} ${unit}`
}

function cells(row: Row): string[] {
  const ok = kept(row)
  return [
    row.measure,
    figure(row.postern, row.unit),
    figure(row.nginx, row.unit),
    row.ratio === null ? '–' : `${row.ratio.toFixed(2)} ×`,
    !row.bound ? '' : 'ratio' in row.bound ? `≤ ${row.bound.ratio} ×` : `≤ ${row.bound.value} ${row.unit}`,
    ok === null ? '' : ok ? 'ok' : 'MISSED',
  ]
}

/** The rows as lines of text, first column to the left and numbers to the right. */
export function table(rows: Row[], name: string): string {
  const lines = [['measure', name, 'nginx', 'ratio', 'bound', ''], ...rows.map(cells)]
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map(line => line[column]!.length)))
  const text = lines.map(line =>
    line
      .map((cell, at) => (at === 0 || at === 5 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!)))
      .join('  ')
      .trimEnd(),
  )
  return [text[0], '─'.repeat(widths.reduce((a, b) => a + b + 2, -2)), ...text.slice(1)].join('\n')
}
