import type { ByteSink, ByteSource, Bytes } from '../../stream/byte-source.ts'

/** What a member sees of the flight that it is in. */
export interface Course {
  /** The piece with this number from the beginning, if it has come. */
  pieceAt(place: number): Bytes | undefined
  /** Whether all has come; and why not, where it broke off. */
  readonly over: boolean
  readonly fault: unknown
  /** The member has taken bytes, so that more may be brought. */
  progressed(): void
  left(member: FlightMember): void
}

interface Reader {
  resolve(bytes: Bytes | undefined): void
  reject(fault: unknown): void
}

/** One of those who share an answer: it takes all of it, from the beginning, at its own pace. */
export class FlightMember implements ByteSource {
  readonly #course: Course
  /** Bytes taken. */
  taken = 0
  /** The number of the piece that is next. */
  place = 0
  #reader: Reader | undefined
  #sink: ByteSink | undefined
  #full = false
  #done = false
  #fault: unknown

  constructor(course: Course) {
    this.#course = course
  }

  /** A piece came, or the end. */
  advance(): void {
    if (this.#sink) this.#drain(this.#sink)
    else if (this.#reader) {
      const bytes = this.#next()
      if (!bytes && !this.#course.over) return
      const { resolve, reject } = this.#reader
      this.#reader = undefined
      if (bytes) resolve(bytes)
      else this.#finish(resolve, reject)
    }
  }

  read(): Promise<Bytes | undefined> {
    if (this.#done) return this.#fault === undefined ? Promise.resolve(undefined) : Promise.reject(this.#fault)
    return new Promise((resolve, reject) => {
      const bytes = this.#next()
      if (bytes) {
        resolve(bytes)
        this.#course.progressed()
      } else if (this.#course.over) this.#finish(resolve, reject)
      else {
        this.#reader = { resolve, reject }
        // Whoever waits may be what the others' pace is measured by.
        this.#course.progressed()
      }
    })
  }

  pipe(sink: ByteSink): void {
    if (this.#sink || this.#reader) throw new TypeError('the answer is being read already')
    if (this.#done) {
      sink.end(this.#fault)
      return
    }
    this.#sink = sink
    this.#drain(sink)
    this.#course.progressed()
  }

  /** It leaves; nobody is told of an end. */
  cancel(): void {
    if (this.#done) return
    this.#done = true
    this.#sink = undefined
    this.#reader?.resolve(undefined)
    this.#reader = undefined
    this.#course.left(this)
  }

  /** It has to leave, for this reason. */
  cut(fault: unknown): void {
    if (this.#done) return
    const sink = this.#sink
    const reader = this.#reader
    this.#reader = undefined
    this.cancel()
    this.#fault = fault
    sink?.end(fault)
    reader?.reject(fault)
  }

  #next(): Bytes | undefined {
    const bytes = this.#course.pieceAt(this.place)
    if (!bytes) return undefined
    this.place++
    this.taken += bytes.length
    return bytes
  }

  #drain(sink: ByteSink): void {
    if (this.#full) return
    for (let bytes = this.#next(); bytes; bytes = this.#next()) {
      const full = sink.write(bytes)
      if (this.#done) return
      if (!full) continue
      this.#full = true
      const go = () => {
        this.#full = false
        if (this.#done) return
        this.#drain(sink)
        this.#course.progressed()
      }
      full.then(go, go)
      return
    }
    if (!this.#course.over) return
    const { fault } = this.#course
    this.cancel()
    sink.end(fault)
  }

  #finish(resolve: Reader['resolve'], reject: Reader['reject']): void {
    const { fault } = this.#course
    this.cancel()
    this.#fault = fault
    if (fault === undefined) resolve(undefined)
    else reject(fault)
  }
}
