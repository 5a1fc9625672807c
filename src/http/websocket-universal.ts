import { openaiChat } from '../dialects/openai-chat/index.ts'
import type { Exchange } from '../gateway/exchange.ts'
import { GatewayFault, invalidRequest } from '../gateway/fault.ts'
import type { Arrival, Gateway } from '../gateway/index.ts'
import { memberText } from '../gateway/json-edit.ts'
import { PolicyFault } from '../gateway/policies/refusals.ts'
import { record } from '../gateway/record.ts'
import { type ClientSocket, GOING_AWAY, type SocketWay, TRY_AGAIN_LATER } from '../gateway/socket/peer.ts'
import type { WrittenStep } from '../schemas/universal.ts'
import { internalFault } from './faults.ts'
import { stepsIn } from './universal.ts'
import { type EventId, frameOf, sendAnswer } from './websocket-answer.ts'

/** Requests of one socket at once; one more is refused. */
const MOST_IN_FLIGHT = 64
/** A client that goes on asking for what is refused, and does not read so, is sent away. */
const MOST_UNREAD = 1024 * 1024
const SWITCHED = 101

interface Create {
  eventId: EventId
  steps: WrittenStep[]
}

/**
 * A socket of many requests (contract 1.9): each frame of the client's is a request to the universal endpoint, in every
 * respect; the answers come as they are ready, and know their request by its `eventId`.
 */
export class UniversalSocket implements SocketWay {
  readonly #gateway: Gateway
  readonly #arrival: Omit<Arrival, 'request'>
  readonly #url: string
  /** The one that opened the socket, for its record. */
  readonly #exchange: Exchange
  readonly #running = new Set<AbortController>()
  #client: ClientSocket | undefined
  #leaving = false
  #gone = false
  /** Resolves when the client has taken what waits for it; absent while there is room. */
  #room: PromiseWithResolvers<void> | undefined

  constructor(gateway: Gateway, { request, ...arrival }: Arrival, exchange: Exchange) {
    this.#gateway = gateway
    this.#arrival = arrival
    this.#url = request.url
    this.#exchange = exchange
  }

  opened(client: ClientSocket): void {
    this.#client = client
  }

  received(message: string | Uint8Array): void {
    if (this.#gone || this.#leaving) return
    const eventId: { of?: EventId } = {}
    try {
      const { steps } = readCreate(message, eventId)
      if (this.#running.size >= MOST_IN_FLIGHT) throw tooMany()
      void this.#run({ eventId: eventId.of, steps })
    } catch (fault) {
      this.#refuse(fault, eventId.of)
    }
  }

  pinged(): void {}

  drained(): void {
    this.#room?.resolve()
    this.#room = undefined
  }

  closed(code: number): void {
    this.#gone = true
    this.#exchange.outcome.left = code === LOST
    for (const abort of this.#running) abort.abort()
    this.drained()
    record(this.#exchange, SWITCHED)
  }

  leave(): void {
    this.#leaving = true
    this.#leaveIfIdle()
  }

  /** Whether an answer is still to come. */
  get busy(): boolean {
    return this.#running.size > 0
  }

  async #run({ eventId, steps }: Create): Promise<void> {
    const abort = new AbortController()
    this.#running.add(abort)
    const { signal } = abort
    let exchange: Exchange | undefined
    try {
      // Each is a request of its own: a token that was taken back opens nothing more, and a new configuration holds.
      const request = new Request(this.#url, { method: 'POST', signal })
      exchange = await this.#gateway.admit({ ...this.#arrival, request })
      const response = await this.#gateway.universal(exchange, steps, openaiChat)
      await sendAnswer(response, eventId, frame => this.#send(frame, signal))
    } catch (fault) {
      // What failed after the client had left has nobody who would hear it.
      if (!this.#gone) this.#refuse(exchange ? this.#gateway.refuse(exchange, fault) : fault, eventId)
    } finally {
      this.#running.delete(abort)
      this.#leaveIfIdle()
    }
  }

  /** Waits for room before it sends, so that what a provider says is read no faster than the client reads. */
  #send(frame: string, signal: AbortSignal): Promise<void> | undefined {
    if (this.#room) return this.#sendLater(frame, signal)
    signal.throwIfAborted()
    if (!this.#client!.send(frame)) this.#room ??= Promise.withResolvers()
    return undefined
  }

  async #sendLater(frame: string, signal: AbortSignal): Promise<void> {
    while (this.#room) await this.#room.promise
    await this.#send(frame, signal)
  }

  #refuse(thrown: unknown, eventId: EventId): void {
    const client = this.#client!
    if (client.unsent() > MOST_UNREAD) {
      client.close(TRY_AGAIN_LATER, 'what is sent is not read: 1 MB is waiting')
      return
    }
    const { number, status, message } = thrown instanceof GatewayFault ? thrown : internalFault()
    const error = { code: number ?? status, message }
    const response = thrown instanceof PolicyFault ? JSON.stringify(thrown.body) : undefined
    if (!client.send(frameOf('universal.error', { eventId }, { status, error, response })))
      this.#room ??= Promise.withResolvers()
  }

  #leaveIfIdle(): void {
    if (this.#leaving && !this.#gone && !this.#running.size) this.#client?.close(GOING_AWAY, 'the gateway stops')
  }
}

/**
 * Reads a frame of a client's.
 * @param eventId takes the word for the request, even where something else is wrong
 * @throws GatewayFault
 */
function readCreate(message: string | Uint8Array, eventId: { of?: EventId }): Pick<Create, 'steps'> {
  if (typeof message !== 'string') throw invalidRequest('expected a frame of text, and in it JSON')
  const frame = parsed(message)
  const request = frame.request as Record<string, unknown> | Record<string, unknown>[] | null | undefined
  const first = Array.isArray(request) ? request[0] : request
  const named = [frame.eventId, first?.eventId].find(id => id !== undefined && id !== null)
  if (typeof named === 'string' || typeof named === 'number') eventId.of = named
  else if (named !== undefined) throw invalidRequest('request.eventId: expected a string')
  if (frame.type !== 'universal.create') throw invalidRequest('type: expected "universal.create"')
  if (typeof request !== 'object' || request === null)
    throw invalidRequest('request: expected a step, or a list of steps')
  return { steps: stepsIn(memberText(message, 'request') ?? JSON.stringify(request)) }
}

function parsed(message: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(message)
    if (value && typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // The same is wrong with it.
  }
  throw invalidRequest('the frame is no JSON object; expected {"type":"universal.create","request":{…}}')
}

const tooMany = () =>
  new GatewayFault({
    status: 429,
    number: 2003,
    code: 'too_many_in_flight',
    type: 'rate_limit_error',
    message: `Rate limited: this socket has ${MOST_IN_FLIGHT} requests in flight, the most at once; wait for an answer`,
  })

const LOST = 1006
