import { randomBytes } from 'node:crypto'
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { StorageError } from './errors.ts'

/** The secret that a store keeps beside its database, for operators who give none of their own. */
export interface OwnSecret {
  /** @returns nothing while there is none */
  read(): string | undefined
  /** The one that there is, or a new one. */
  make(): string
}

const newSecret = () => randomBytes(32).toString('base64')

/** For a database in memory: gone when the process ends, like what it encrypts. */
export function secretInMemory(): OwnSecret {
  let secret: string | undefined
  return {
    read: () => secret,
    make() {
      secret ??= newSecret()
      return secret
    },
  }
}

/** A file that only its owner may read. Every call throws a StorageError when the file cannot be read or written. */
export function secretInFile(path: string): OwnSecret {
  const read = (): string | undefined => {
    try {
      const secret = readFileSync(path, 'utf8').trim()
      if (secret) return secret
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined
      throw new StorageError('use', `cannot read ${path}, which the stored provider keys need: ${codeOf(error)}`)
    }
    throw new StorageError('use', `${path} is empty; the stored provider keys need what was in it`)
  }
  const make = (): string => {
    const there = read()
    if (there !== undefined) return there
    const whole = `${path}.${process.pid}.new`
    try {
      // Written whole before it has its name: of several processes one makes it, and no other reads half of it.
      writeFileSync(whole, `${newSecret()}\n`, { mode: 0o600, flag: 'w' })
      linkSync(whole, path)
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw new StorageError('use', `cannot make ${path}: ${codeOf(error)}`)
    } finally {
      rmSync(whole, { force: true })
    }
    return read()!
  }
  return { read, make }
}

/**
 * Nothing, for a database that several machines share: a file on one of them would open nothing on the others. Both ways
 * of asking throw a StorageError that says what to do.
 */
export function noOwnSecret(place: string): OwnSecret {
  const demand = (): never => {
    throw new StorageError(
      'configuration',
      `the provider keys that are stored in ${place} need storage.encryption_key (or POSTERN_ENCRYPTION_KEY), the same ` +
        'on every machine; `openssl rand -base64 32` makes one',
    )
  }
  return { read: demand, make: demand }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown error'
