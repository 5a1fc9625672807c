import { Flight, type FlightBounds, FlightFailure, type FlightKeeper, type Joined, type Start } from './flight.ts'

export interface FlightsOptions extends Partial<FlightBounds> {
  /** Calls that are shared at once. Default 1,000; beyond it everybody makes a call of their own. */
  flights?: number
  /** Bytes that all flights together keep for those who come later. Default 64 MB; beyond it nobody can join them. */
  replayTotal?: number
  /** Calls that those who share a failed one share after it. Default 1; with 0 a failure is everybody's at once. */
  furtherCalls?: number
}

const MB = 1024 * 1024
const DEFAULTS: Required<FlightsOptions> = {
  flights: 1_000,
  replay: MB,
  replayTotal: 64 * MB,
  lag: 4 * MB,
  hold: 5_000,
  furtherCalls: 1,
}

/**
 * Identical requests in flight share one upstream call.
 *
 * Who comes while the answer is under way gets it from the beginning, as long as all of it is kept; after that, whoever
 * asks the same begins a call of their own, which others may share again. It is read at the pace of the fastest. Who falls
 * behind by more than `lag` holds up the others for `hold` at most, and is then cut off with a fault; one who is alone is
 * waited for as long as it takes.
 *
 * A call that fails before it has brought anything is the failure of the one who made it. Its other members share
 * another call, made by the next of them, and so on up to `furtherCalls`, after which they have the failure too: so what
 * hits one connection does not hit all who happened to share it, and a provider that is down is not asked by all of them
 * at once. What breaks off later breaks off for all.
 */
export class Flights<Head> {
  readonly #options: Required<FlightsOptions>
  readonly #flights = new Map<string, Flight<Head>>()
  #kept = 0

  constructor(options: FlightsOptions = {}) {
    this.#options = { ...DEFAULTS, ...options }
  }

  /** Calls that can be joined now. */
  get size(): number {
    return this.#flights.size
  }

  /**
   * Joins the call for this key, or begins it.
   * @param start makes the call; its signal is aborted when the last of those who share it has left. It may be running on
   * when the member whose it is has left, and it alone sees the whole answer whoever leaves: what is to be cached is
   * collected there
   * @param signal of this member: when it is aborted, the member leaves
   * @throws what the call throws, and the signal's reason
   */
  async join(key: string, start: Start<Head>, signal?: AbortSignal): Promise<Joined<Head>> {
    for (let failures = 0; ; failures++) {
      const there = this.#flights.get(key)
      const joined = await (there ? there.enter(signal) : this.#begin(key, start, signal))
      if (!(joined instanceof FlightFailure)) return joined
      if (!there || failures >= this.#options.furtherCalls) throw joined.fault
    }
  }

  #begin(key: string, start: Start<Head>, signal: AbortSignal | undefined): Promise<Joined<Head> | FlightFailure> {
    const keeper: FlightKeeper = {
      keep: bytes => {
        this.#kept += bytes
        return this.#kept <= this.#options.replayTotal
      },
      closed: kept => {
        this.#kept -= kept
        if (this.#flights.get(key) === flight) this.#flights.delete(key)
      },
    }
    const open = this.#flights.size < this.#options.flights
    const flight = new Flight<Head>(this.#options, keeper, open)
    if (open) this.#flights.set(key, flight)
    return flight.begin(start, signal)
  }
}
