import { lstatSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { unreadable } from '../config/references.ts'
import { newToken } from '../storage/token-secret.ts'
import { exampleFile } from './example-file.ts'
import { type Output, terminal } from './output.ts'

export interface InitOptions {
  /** Whether a file that is there may be replaced. */
  force?: boolean
  folder?: string
  output?: Output
}

/**
 * `postern init`: writes a commented postern.yaml with a new token in it, readable by its owner alone.
 *
 * @returns the exit code: 0, 1 when it cannot be written, 2 when there is one already
 */
export async function initCommand(path = 'postern.yaml', options: InitOptions = {}): Promise<number> {
  const { force = false, folder = process.cwd(), output = terminal } = options
  const target = resolve(folder, path)
  if (!force && lstatSync(target, { throwIfNoEntry: false })) {
    output.err(`${path} is there already and stays as it is; --force replaces it`)
    return 2
  }
  // Written beside and renamed, so that neither the old mode nor half a file is ever there.
  const beside = `${target}.${process.pid}.new`
  try {
    writeFileSync(beside, exampleFile(newToken()), { mode: 0o600, flag: 'wx' })
    renameSync(beside, target)
  } catch (error) {
    rmSync(beside, { force: true })
    output.err(`cannot write ${path}: ${unreadable(error)}`)
    return 1
  }
  output.out(`${path} is written; it holds a token, so keep it to yourself`)
  output.out(
    `next: put your provider keys in it, then: postern check ${path === 'postern.yaml' ? '' : `--config ${path} `}&& postern serve${path === 'postern.yaml' ? '' : ` --config ${path}`}`,
  )
  return 0
}
