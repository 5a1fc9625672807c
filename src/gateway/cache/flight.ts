import type { ByteSource, Bytes } from '../../stream/byte-source.ts'
import { type Course, FlightMember } from './flight-member.ts'

/** What one upstream call brought: for instance a status with headers, and the body, whole or as it comes. */
export interface Shared<Head> {
  head: Head
  /** Nobody changes these bytes: many have them. */
  body: ByteSource | Bytes
}

/** One member's part. Who wants no more of a body that comes has to `cancel` it, or to abort the signal given. */
export interface Joined<Head> extends Shared<Head> {
  /** Whether it was this member's own call. */
  first: boolean
}

/** The call failed before it brought anything. */
export class FlightFailure {
  readonly fault: unknown

  constructor(fault: unknown) {
    this.fault = fault
  }
}

export type Start<Head> = (signal: AbortSignal) => Promise<Shared<Head>>

export interface FlightBounds {
  /** Bytes from the beginning that are kept for those who come later. Default 1 MB. */
  replay: number
  /** Bytes that one may be behind the fastest. Default 4 MB. */
  lag: number
  /** Milliseconds that the others wait for one who is further behind; then it is cut off. Default 5,000. */
  hold: number
}

/** What a flight tells those who keep it. */
export interface FlightKeeper {
  /** Bytes were kept for those who come later. @returns whether there was room for them */
  keep(bytes: number): boolean
  /** Nobody can come any more; so many bytes are no longer kept. */
  closed(kept: number): void
}

/** So far it may run ahead of the fastest, as a connection's buffer would. */
const AHEAD = 64 * 1024

interface Ticket<Head> {
  first: boolean
  /** Tells what came of the call. */
  board(joined: Joined<Head> | FlightFailure): void
  /** The member has left, or has all it wanted. */
  end(): void
}

/**
 * One upstream call and those who share it. It goes at the pace of the fastest of them, is aborted when the last has
 * left, and nobody who leaves disturbs the others.
 */
export class Flight<Head> implements Course {
  readonly #bounds: FlightBounds
  readonly #keeper: FlightKeeper
  readonly #abort = new AbortController()
  readonly #members = new Map<FlightMember, Ticket<Head>>()
  #shared: Shared<Head> | undefined
  /** What has come and is still wanted, and the number of the first of it. */
  #pieces: Bytes[] = []
  #firstPiece = 0
  #received = 0
  #kept = 0
  /** Whether somebody may still come. */
  #open: boolean
  #resume: (() => void) | undefined
  #patience: ReturnType<typeof setTimeout> | undefined
  over = false
  fault: unknown

  /** @param open whether anybody but the first may enter */
  constructor(bounds: FlightBounds, keeper: FlightKeeper, open: boolean) {
    this.#bounds = bounds
    this.#open = open
    this.#keeper = keeper
  }

  /** The first member enters, with its call. */
  begin(start: Start<Head>, signal?: AbortSignal): Promise<Joined<Head> | FlightFailure> {
    const entered = this.enter(signal, true)
    // Already left.
    if (!this.#members.size) return entered
    let call: Promise<Shared<Head>>
    try {
      call = start(this.#abort.signal)
    } catch (fault) {
      call = Promise.reject(fault)
    }
    call.then(
      shared => this.#arrive(shared),
      (fault: unknown) => this.#fail(fault),
    )
    return entered
  }

  /** @throws the signal's reason, when it is aborted before the call has brought anything */
  enter(signal?: AbortSignal, first = false): Promise<Joined<Head> | FlightFailure> {
    return new Promise((resolve, reject) => {
      const member = new FlightMember(this)
      const leave = () => {
        reject(signal!.reason)
        member.cut(signal!.reason)
      }
      if (signal?.aborted) {
        if (!this.#members.size) this.#close()
        reject(signal.reason)
        return
      }
      signal?.addEventListener('abort', leave, { once: true })
      this.#members.set(member, {
        first,
        board: resolve,
        end: () => signal?.removeEventListener('abort', leave),
      })
      if (this.#shared) this.#board(member, this.#shared)
    })
  }

  pieceAt(place: number): Bytes | undefined {
    return this.#pieces[place - this.#firstPiece]
  }

  progressed(): void {
    if (this.#resume && !this.#mustWait()) this.#goOn()
  }

  left(member: FlightMember): void {
    const ticket = this.#members.get(member)
    if (!ticket) return
    this.#members.delete(member)
    ticket.end()
    if (this.#members.size) this.progressed()
    else if (!this.over) this.#abandon()
  }

  #board(member: FlightMember, { head, body }: Shared<Head>): void {
    const { first, board } = this.#members.get(member)!
    if ('read' in body) board({ head, body: member, first })
    else {
      board({ head, body, first })
      member.cancel()
    }
  }

  #arrive(shared: Shared<Head>): void {
    if (this.over) {
      if ('read' in shared.body) shared.body.cancel()
      return
    }
    this.#shared = shared
    const { body } = shared
    if (!('read' in body)) this.#end()
    for (const member of [...this.#members.keys()]) this.#board(member, shared)
    if ('read' in body)
      body.pipe({
        write: bytes => this.#push(bytes),
        end: fault => this.#end(fault),
      })
  }

  #fail(fault: unknown): void {
    if (this.over) return
    this.#end(fault)
    for (const [member, { board }] of [...this.#members]) {
      board(new FlightFailure(fault))
      member.cancel()
    }
  }

  #push(bytes: Bytes): Promise<unknown> | undefined {
    this.#pieces.push(bytes)
    this.#received += bytes.length
    if (this.#open) {
      this.#kept += bytes.length
      if (!this.#keeper.keep(bytes.length) || this.#kept > this.#bounds.replay) this.#close()
    }
    for (const member of this.#members.keys()) member.advance()
    this.#trim()
    if (this.over || !this.#mustWait()) return undefined
    return new Promise<void>(resolve => {
      this.#resume = resolve
    })
  }

  #end(fault?: unknown): void {
    if (this.over) return
    this.over = true
    this.fault = fault
    this.#goOn()
    this.#close()
    for (const member of this.#members.keys()) member.advance()
  }

  /** Everybody has left. */
  #abandon(): void {
    this.over = true
    this.#goOn()
    this.#close()
    this.#pieces = []
    this.#abort.abort()
    const body = this.#shared?.body
    if (body && 'read' in body) body.cancel()
  }

  /** Nobody may come any more. */
  #close(): void {
    if (!this.#open) return
    this.#open = false
    this.#keeper.closed(this.#kept)
  }

  /** Lets go what everybody has taken and nobody will ask for again. */
  #trim(): void {
    if (this.#open) return
    let least = Number.POSITIVE_INFINITY
    for (const { place } of this.#members.keys()) least = Math.min(least, place)
    const done = Math.min(least - this.#firstPiece, this.#pieces.length)
    if (done <= 0) return
    this.#pieces.splice(0, done)
    this.#firstPiece += done
  }

  /** Whether no more may be brought for now; if it is for one who is far behind, not for long. */
  #mustWait(): boolean {
    let most = 0
    let least = this.#received
    for (const { taken } of this.#members.keys()) {
      most = Math.max(most, taken)
      least = Math.min(least, taken)
    }
    if (this.#received - least <= this.#bounds.lag || most === least) {
      clearTimeout(this.#patience)
      this.#patience = undefined
      return this.#received - most > AHEAD
    }
    this.#patience ??= setTimeout(() => this.#cutSlow(), this.#bounds.hold)
    return true
  }

  #cutSlow(): void {
    this.#patience = undefined
    let most = 0
    for (const { taken } of this.#members.keys()) most = Math.max(most, taken)
    for (const member of [...this.#members.keys()])
      if (member.taken < most && this.#received - member.taken > this.#bounds.lag)
        member.cut(new Error('too far behind others who share this answer'))
    this.#trim()
    this.progressed()
  }

  #goOn(): void {
    clearTimeout(this.#patience)
    this.#patience = undefined
    const resume = this.#resume
    this.#resume = undefined
    resume?.()
  }
}
