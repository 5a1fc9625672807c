/** A line of Prometheus' text format. */
export interface Line {
  name: string
  labels: Record<string, string>
  value: number
}

/** Reads the text format strictly; what is no comment and no sample is a fault. */
export function readLines(text: string): Line[] {
  const lines: Line[] = []
  for (const line of text.split('\n')) {
    if (!line || line.startsWith('#')) continue
    const [, name, inner = '', number] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
    if (!name || Number.isNaN(Number(number))) throw new Error(`no line of Prometheus: ${line}`)
    const labels: Record<string, string> = {}
    const rest = inner.replace(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)",?/g, (_, key: string, value: string) => {
      labels[key] = value.replace(/\\(.)/g, (_, sign: string) => (sign === 'n' ? '\n' : sign))
      return ''
    })
    if (rest) throw new Error(`labels that are not: ${line}`)
    lines.push({ name, labels, value: Number(number) })
  }
  return lines
}

/** The sum of the lines of that name that have at least these labels. */
export function sumOf(lines: readonly Line[], name: string, labels: Record<string, string> = {}): number {
  return lines
    .filter(line => line.name === name && Object.entries(labels).every(([key, value]) => line.labels[key] === value))
    .reduce((sum, { value }) => sum + value, 0)
}
