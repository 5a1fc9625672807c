import { version } from '../../package.json' with { type: 'json' }

export { version }

/** `postern version`: the version, and what it was built for. */
export async function versionCommand(): Promise<number> {
  process.stdout.write(`postern ${version} (${process.platform}-${process.arch}, Bun ${Bun.version})\n`)
  return 0
}
