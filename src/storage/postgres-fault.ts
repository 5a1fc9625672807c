import { StorageError } from './errors.ts'

/** What PostgreSQL, or the way to it, says against a statement. */
export class PostgresFault extends StorageError {
  /** Its five letters (`40P01`), or what the driver calls it (`ERR_POSTGRES_CONNECTION_CLOSED`). */
  readonly code: string

  constructor(place: string, code: string, words: string) {
    super('use', `storage.database: ${place}: ${words}`)
    this.code = code
  }

  get isSaidByServer(): boolean {
    return /^[0-9A-Z]{5}$/.test(this.code)
  }

  /** Others were in the way, and nothing of it was done: it may be done again. */
  get isConflict(): boolean {
    return this.code === '40001' || this.code === '40P01'
  }

  /** The connection ended under it. Another one may be there. */
  get isLost(): boolean {
    return lost.has(this.code)
  }

  /** Nothing can be asked of the server. */
  get isOutage(): boolean {
    return (
      this.isLost ||
      this.code === LATE ||
      /^(08|28|3D|53|57P)/.test(this.code) ||
      this.code.startsWith('ERR_POSTGRES_CONN')
    )
  }
}

/** No answer within the time that there was. */
export const LATE = 'late'

const lost: ReadonlySet<string> = new Set([
  'ERR_POSTGRES_CONNECTION_CLOSED',
  'ERR_POSTGRES_IDLE_TIMEOUT',
  'ERR_POSTGRES_LIFETIME_TIMEOUT',
  // The server ends, by order or after a crash.
  '57P01',
  '57P02',
])

/** Where the driver's or the server's own words tell too little, or a name that is nobody's business. */
const words: Record<string, string | undefined> = {
  ERR_POSTGRES_CONNECTION_REFUSED: 'nothing answers at this address: is the server running?',
  ERR_POSTGRES_CONNECTION_CLOSED: 'the connection was closed',
  ERR_POSTGRES_TLS_NOT_AVAILABLE: 'the server speaks no TLS, which sslmode demands',
  '28P01': 'the user or the password is not accepted',
  '28000': 'the user is not accepted from this machine',
  '42501': 'the user may not do this; it needs the right to create and use tables',
  '57014': 'the statement took too long',
  '57P03': 'the server is starting or stopping',
  '22P02': 'a value does not fit its column',
  '22003': 'a number is too large for its column',
}

/** Anything shorter stands in many words by chance. */
const SHORTEST_SECRET = 4

/** @param secrets what must not be in its words, whoever wrote them */
export function faultOf(error: unknown, place: string, secrets: readonly string[]): PostgresFault {
  if (error instanceof PostgresFault) return error
  const { errno, code, message } = error as { errno?: unknown; code?: unknown; message?: unknown }
  const five = typeof errno === 'string' && errno.length === 5 ? errno : String(code ?? '')
  let said = words[five] ?? (typeof message === 'string' && message ? message : 'unknown error')
  for (const secret of secrets) if (secret.length >= SHORTEST_SECRET) said = said.replaceAll(secret, '…')
  return new PostgresFault(place, five, said)
}
