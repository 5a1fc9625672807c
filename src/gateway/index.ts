import type { Config, Permission } from '../config/schema.ts'
import type { JsonObject } from '../conversation/conversation.ts'
import type { ClientDialect } from '../dialects/dialect.ts'
import { type Reach, Registry } from '../providers/registry.ts'
import type { WrittenStep } from '../schemas/universal.ts'
import { keyCipher } from '../storage/key-cipher.ts'
import type { Live } from '../storage/live.ts'
import type { Store } from '../storage/store.ts'
import type { Logger, RequestLog } from '../telemetry/log.ts'
import { authenticate } from './authenticate.ts'
import { Flights } from './cache/coalesce.ts'
import type { FlightHead } from './cache/serve.ts'
import { readControls } from './controls.ts'
import { AUTHORIZATION, type Exchange, type KeyPlaces, type Settings } from './exchange.ts'
import { demandGateway, gatewayOrClosed, gatewaysOf } from './find-gateway.ts'
import { KeyBook } from './keys.ts'
import { type Manager, managerOf } from './manage.ts'
import { ModelCatalogue } from './models.ts'
import type { NativeCall } from './native.ts'
import { record } from './record.ts'
import { refuse } from './refuse.ts'
import { RunBook } from './runs.ts'
import { TokenBook } from './tokens.ts'
import { runSteps } from './universal.ts'
import { type ChatWords, chatWay, nativeWay } from './ways.ts'

/** What a surface knows of a request before its body is read. */
export interface Arrival {
  request: Request
  path: string
  account: string
  gatewayId: string
  /** What counts as the client's headers, where that is not all of them. */
  headers?: Headers
  /** Where this surface's clients put the key of a provider, where that is not `Authorization`. */
  keyPlaces?: KeyPlaces
}

export interface GatewayParts {
  config: Config
  store: Store
  live: Live
  log: Logger
  logRequest: RequestLog
}

/** The way of one request, in the order of the steps. It knows neither Elysia nor any provider's name. */
export class Gateway {
  #settings: Settings
  readonly #store: Store
  readonly #live: Live
  readonly #flights = new Flights<FlightHead>()
  readonly #keys: KeyBook
  readonly #log: Logger
  readonly #logRequest: RequestLog
  readonly #models = new ModelCatalogue()
  /** The streams that a client may come back for. */
  readonly runs = new RunBook()

  constructor({ config, store, live, log, logRequest }: GatewayParts) {
    this.#logRequest = logRequest
    this.#store = store
    this.#live = live
    // What encrypts the stored keys changes only with the next start, like all of `storage`.
    this.#keys = new KeyBook(store, keyCipher(config.storage.encryption_key, store.ownSecret))
    this.#log = log
    this.#settings = this.#read(config)
  }

  /** New requests follow the new configuration; those in flight end on the one they began with. */
  reload(config: Config): void {
    this.#settings = this.#read(config)
    this.#models.forget()
  }

  get config(): Config {
    return this.#settings.config
  }

  /** The first steps, before a body is read: who is it, and may they. @throws GatewayFault */
  async admit(arrival: Arrival): Promise<Exchange> {
    const settings = this.#settings
    const headers = arrival.headers ?? arrival.request.headers
    const id = Bun.randomUUIDv7()
    const exchange: Exchange = {
      request: arrival.request,
      headers,
      ids: { request: id, event: id, log: id },
      controls: {},
      shared: { counted: false, outlives: false },
      claimed: [],
      path: arrival.path,
      account: arrival.account,
      gatewayId: arrival.gatewayId,
      keyPlaces: arrival.keyPlaces ?? AUTHORIZATION,
      settings,
      started: performance.now(),
      log: this.#logRequest,
      abort: new AbortController(),
      gateway: gatewayOrClosed(settings.gateways, arrival.gatewayId),
      stream: false,
      outcome: {},
    }
    try {
      const pending = authenticate(exchange)
      if (pending) await pending
      demandGateway(exchange)
      // Told to those who may call: to others a header's fault is no matter.
      exchange.controls = readControls(headers)
      exchange.ids.event = exchange.controls.eventId ?? id
    } catch (fault) {
      throw this.refuse(exchange, fault)
    }
    return exchange
  }

  /** The rest of a chat's way. @throws GatewayFault, of which nothing has been sent yet; the surface gives it to {@link refuse} */
  chat(exchange: Exchange, words: ChatWords): Promise<Response> {
    return chatWay(exchange, words)
  }

  /** The rest of the way of a request in a provider's own format. @throws GatewayFault as {@link chat} does */
  native(exchange: Exchange, call: NativeCall): Promise<Response> {
    return nativeWay(exchange, call)
  }

  /** The rest of the way of a list of steps. @throws GatewayFault when no provider gave an answer */
  universal(exchange: Exchange, steps: readonly WrittenStep[], client: ClientDialect): Promise<Response> {
    return runSteps(exchange, steps, client)
  }

  /** Who calls the management API, and on what they work. @throws GatewayFault 401, 403 as {@link managerOf} does */
  manager(headers: Headers, account: string, permission: Permission): Promise<Manager> {
    return managerOf(this.#settings, this.#store, headers, account, permission)
  }

  /** Puts a fault of our own into the log, where there is no exchange that it would stand with. */
  report(fault: unknown, path: string): void {
    this.#log.error({ error: fault, path }, 'a fault of our own')
  }

  /** Whether a gateway asks for no token. */
  isOpen(id: string): boolean {
    return this.#settings.gateways.get(id)?.authentication === false
  }

  /** The provider that a word of an address stands for. */
  provider(slug: string): Reach | undefined {
    return this.#settings.registry.find(slug)
  }

  /** What the configured providers can serve. @throws GatewayFault */
  async models(exchange: Exchange): Promise<JsonObject> {
    const list = await this.#models.list(exchange, this.#log)
    record(exchange, 200)
    return list
  }

  /** Puts a refusal on record, whoever made it. */
  refuse(exchange: Exchange, fault: unknown): unknown {
    return refuse(exchange, fault)
  }

  #read(config: Config): Settings {
    return {
      config,
      accounts: new Set(config.accounts),
      tokens: new TokenBook(config, this.#store),
      keys: this.#keys,
      credits: this.#store.credits,
      live: this.#live,
      flights: this.#flights,
      gateways: gatewaysOf(config.gateways),
      registry: new Registry(config),
      log: this.#log,
    }
  }
}
