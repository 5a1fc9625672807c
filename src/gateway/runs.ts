import { asSource } from '../stream/byte-source.ts'
import type { Exchange } from './exchange.ts'
import { RunStream } from './run-stream.ts'

interface Run {
  gateway: string
  /** The token that began it; nobody else may go on with it. */
  caller: string
  stream: RunStream
  size: number
  timer?: Timer
}

/** How long a stream that is over can still be asked for (contract 1.10). */
const KEPT_MS = 330_000
const MOST_BYTES_EACH = 8 * 1024 * 1024
const MOST_BYTES = 128 * 1024 * 1024
const MOST_RUNS = 10_000

/**
 * The streams of the run path, which a client whose connection broke may go on with. A provider goes on for a short time
 * without a client; then it is stopped like any other. All of it is bounded: where there are too many, those that began
 * first are forgotten, and asking for them is answered as for one that is too old.
 */
export class RunBook {
  readonly #runs = new Map<string, Run>()
  #bytes = 0
  /** Of the one that keeps it: of several workers only one can go on with a stream. */
  readonly #worker: number

  constructor(worker = 0) {
    this.#worker = worker
  }

  /** The worker that keeps a run. */
  static workerOf(id: string): number | undefined {
    const [, worker] = /^(\d{1,3})-/.exec(id) ?? []
    return worker === undefined ? undefined : Number(worker)
  }

  /**
   * Keeps the stream of an answer.
   * @param grace seconds that it goes on without a client; 0 keeps nothing
   * @returns the answer to send instead, which tells its id in `cf-aig-run-id`
   */
  keep(exchange: Exchange, response: Response, grace: number): Response {
    const { body, headers, status } = response
    if (!body || !exchange.caller || grace <= 0) return response
    const id = `${this.#worker}-${Bun.randomUUIDv7()}`
    const stream = new RunStream(asSource(body), MOST_BYTES_EACH, size => this.#grown(id, size))
    this.#runs.set(id, { gateway: exchange.gatewayId, caller: exchange.caller.name, stream, size: 0 })
    exchange.shared.outlives = true
    headers.set('cf-aig-run-id', id)
    if (this.#runs.size > MOST_RUNS) this.#forget(this.#runs.keys().next().value!)
    return new Response(
      stream.from(0, () => this.#alone(id, grace)),
      { status, headers },
    )
  }

  /**
   * The rest of a stream.
   * @param from the index of its first event, from 0
   * @returns nothing for one that is not there for this caller and gateway, or from that event on no more
   */
  resume(exchange: Exchange, id: string, from: number, grace: number): ReadableStream<Uint8Array> | undefined {
    const run = this.#runs.get(id)
    if (!run || run.gateway !== exchange.gatewayId || run.caller !== exchange.caller?.name) return undefined
    if (!run.stream.has(from)) return undefined
    clearTimeout(run.timer)
    if (run.stream.ended) this.#expire(id, run)
    return run.stream.from(from, () => this.#alone(id, grace))
  }

  /** Ends one that its client does not want any more. @returns whether there was one */
  stop(exchange: Exchange, id: string): boolean {
    const run = this.#runs.get(id)
    if (!run || run.gateway !== exchange.gatewayId || run.caller !== exchange.caller?.name) return false
    this.#forget(id)
    return true
  }

  #alone(id: string, grace: number): void {
    const run = this.#runs.get(id)
    if (!run) return
    if (run.stream.ended) this.#expire(id, run)
    else run.timer = setTimeout(() => this.#forget(id), grace * 1_000).unref()
  }

  #grown(id: string, size: number): void {
    const run = this.#runs.get(id)
    if (!run) return
    this.#bytes += size - run.size
    run.size = size
    if (run.stream.ended) this.#expire(id, run)
    for (const [oldest] of this.#runs) {
      if (this.#bytes <= MOST_BYTES || oldest === id) break
      this.#forget(oldest)
    }
  }

  #expire(id: string, run: Run): void {
    clearTimeout(run.timer)
    run.timer = setTimeout(() => this.#forget(id), KEPT_MS).unref()
  }

  #forget(id: string): void {
    const run = this.#runs.get(id)
    if (!run) return
    this.#runs.delete(id)
    this.#bytes -= run.size
    clearTimeout(run.timer)
    run.stream.stop()
  }
}
