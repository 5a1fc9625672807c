/** Thrown when the person at the terminal gives up. */
export class Abandoned extends Error {}

/**
 * A secret from standard input: all of it where a file or another program is on the other end, one line that is not
 * shown where a person is.
 * @throws Abandoned at Ctrl-C
 */
export async function readSecret(prompt: string): Promise<string> {
  if (!process.stdin.isTTY) return Bun.stdin.text()
  process.stderr.write(prompt)
  process.stdin.setRawMode(true)
  try {
    return await typedLine()
  } finally {
    process.stdin.setRawMode(false)
    process.stdin.pause()
    process.stderr.write('\n')
  }
}

function typedLine(): Promise<string> {
  return new Promise((resolve, reject) => {
    let typed = ''
    const end = (finish: () => void) => {
      process.stdin.off('data', take)
      finish()
    }
    const take = (piece: Buffer) => {
      for (const letter of piece.toString('utf8')) {
        if (letter === '\u0003') return end(() => reject(new Abandoned()))
        if (letter === '\r' || letter === '\n' || letter === '\u0004') return end(() => resolve(typed))
        typed = letter === '\u007f' || letter === '\b' ? typed.slice(0, -1) : typed + letter
      }
    }
    process.stdin.on('data', take)
  })
}
