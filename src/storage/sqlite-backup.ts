import { Database as Connection } from 'bun:sqlite'
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { StorageError } from './errors.ts'

const PATIENCE_MS = 5_000

/**
 * Copies a SQLite file as it is at one moment, while others read and write it. The copy is one file, that only its owner
 * may read, and as small as can be.
 *
 * @param path the database; it is not changed, nor brought up to date
 * @param target the copy: it has its name only when it is whole
 * @returns its size in bytes
 * @throws StorageError when there is no database, something has the name of the copy already, or it cannot be written
 */
export function copySqlite(path: string, target: string): number {
  if (!existsSync(path)) throw new StorageError('use', `there is no database at ${path}`)
  const part = `${target}.part`
  const made: string[] = []
  // Both are taken at once, so that of two copies to one name one is refused.
  for (const file of [target, part]) {
    try {
      closeSync(openSync(file, 'wx', 0o600))
    } catch (error) {
      for (const one of made) rmSync(one)
      const why = codeOf(error)
      throw new StorageError('use', why === 'EEXIST' ? `${file} is there already` : `cannot write ${file}: ${why}`)
    }
    made.push(file)
  }
  try {
    const connection = new Connection(path, { readwrite: true, create: false })
    try {
      connection.run(`PRAGMA busy_timeout = ${PATIENCE_MS}`)
      // Into an empty file SQLite writes; one with anything in it it refuses.
      connection.query('VACUUM INTO ?').run(part)
    } finally {
      connection.close()
    }
    sync(part)
    renameSync(part, target)
    return statSync(target).size
  } catch (error) {
    for (const file of made) rmSync(file, { force: true })
    throw new StorageError(
      'use',
      `cannot copy ${path} to ${target}: ${error instanceof Error ? error.message : 'unknown error'}`,
    )
  }
}

/** So that a copy that was said to be there outlives a loss of power. */
function sync(path: string): void {
  const file = openSync(path, 'r+')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown error'
