/** Where a command writes, a line at a time; tests listen here. */
export interface Output {
  out(line: string): void
  err(line: string): void
}

export const terminal: Output = {
  out: line => {
    process.stdout.write(`${line}\n`)
  },
  err: line => {
    process.stderr.write(`${line}\n`)
  },
}

/**
 * A long text on standard output. It is awaited: what is still in a pipe's buffer when the process ends is lost, and the
 * text may be longer than one. Whoever reads may stop before the end, as `head` does.
 */
export async function printAll(text: string): Promise<void> {
  try {
    await Bun.write(Bun.stdout, text)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPIPE')) throw error
  }
}
