import type { Config, Permission } from '../config/schema.ts'
import type { JsonObject } from '../conversation/conversation.ts'
import type { ClientDialect } from '../dialects/dialect.ts'
import { type Reach, Registry } from '../providers/registry.ts'
import type { GatewaySettings } from '../schemas/gateway.ts'
import type { WrittenStep } from '../schemas/universal.ts'
import { keyCipher } from '../storage/key-cipher.ts'
import type { Live } from '../storage/live.ts'
import type { Store } from '../storage/store.ts'
import type { Surface } from '../telemetry/attempt-record.ts'
import type { Logger, RequestLog } from '../telemetry/log.ts'
import { authenticate } from './authenticate.ts'
import { Pools } from './balance/pools.ts'
import { Flights } from './cache/coalesce.ts'
import type { FlightHead } from './cache/serve.ts'
import { readControls } from './controls.ts'
import { AUTHORIZATION, type Exchange, type KeyPlaces, type RecordSink, type Settings } from './exchange.ts'
import { demandGateway, gatewayOrClosed, gatewaysOf } from './find-gateway.ts'
import { KeyBook } from './keys.ts'
import { accountLimit } from './limits/spending-limit.ts'
import { emptyCache, type Manager, managerOf } from './manage.ts'
import { ModelCatalogue } from './models.ts'
import type { NativeCall } from './native.ts'
import { PolicyBook } from './policies/book.ts'
import { record } from './record.ts'
import { refuse } from './refuse.ts'
import { RouteBook } from './routes/book.ts'
import { RunBook } from './runs.ts'
import { StoredObjects } from './stored-objects.ts'
import { TokenBook } from './tokens.ts'
import { Abort } from './transport/abort.ts'
import { runSteps } from './universal.ts'
import { type ChatWords, chatWay, nativeWay } from './ways.ts'

/** What a surface knows of a request before its body is read. */
export interface Arrival {
  request: Request
  path: string
  account: string
  gatewayId: string
  surface: Surface
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
  /** Whoever takes the records of attempts that are over. */
  sinks: readonly RecordSink[]
  /** The place of this process among the workers. */
  worker?: number
}

/** The way of one request, in the order of the steps. It knows neither Elysia nor any provider's name. */
export class Gateway {
  #settings: Settings
  readonly #store: Store
  readonly #accountLimit: Settings['accountLimit']
  readonly #live: Live
  readonly #sinks: readonly RecordSink[]
  readonly #pools = new Pools()
  readonly #flights = new Flights<FlightHead>()
  /** How many answers go out in pieces now. */
  readonly streams = { open: 0 }
  readonly #keys: KeyBook
  readonly #stored: StoredObjects
  readonly #log: Logger
  readonly #logRequest: RequestLog
  readonly #models = new ModelCatalogue()
  /** The streams that a client may come back for. */
  readonly runs: RunBook

  constructor({ config, store, live, log, logRequest, sinks, worker }: GatewayParts) {
    this.#logRequest = logRequest
    this.#store = store
    this.runs = new RunBook(worker)
    this.#accountLimit = accountLimit(store.settings)
    this.#live = live
    this.#sinks = sinks
    // What encrypts the stored keys changes only with the next start, like all of `storage`.
    const cipher = keyCipher(config.storage.encryption_key, store.ownSecret)
    this.#keys = new KeyBook(store, cipher)
    this.#log = log
    this.#stored = new StoredObjects(store, cipher, log, () => this.#follow())
    this.#settings = this.#read(config)
  }

  /** New requests follow the new configuration; those in flight end on the one they began with. */
  reload(config: Config): void {
    const before = this.#settings
    this.#settings = this.#read(config)
    this.#models.forget()
    for (const [id, { cache_invalidate_on_update: empties = false }] of this.#settings.gateways) {
      const [was, is] = [before.config.gateways[id], config.gateways[id]]
      if (empties && JSON.stringify(was) !== JSON.stringify(is)) void emptyCache(this.#settings, id)
    }
  }

  get config(): Config {
    return this.#settings.config
  }

  /** The first steps, before a body is read: who is it, and may they. @throws GatewayFault */
  admit(arrival: Arrival): Exchange | Promise<Exchange> {
    const pending = this.#stored.refresh()
    return pending ? pending.then(() => this.#admit(arrival)) : this.#admit(arrival)
  }

  #admit(arrival: Arrival): Exchange | Promise<Exchange> {
    const settings = this.#settings
    const headers = arrival.headers ?? arrival.request.headers
    const id = Bun.randomUUIDv7()
    const exchange: Exchange = {
      request: arrival.request,
      headers,
      ids: { request: id, event: id, log: id },
      controls: {},
      shared: { counted: false, outlives: false, spent: [] },
      claimed: [],
      path: arrival.path,
      account: arrival.account,
      gatewayId: arrival.gatewayId,
      surface: arrival.surface,
      keyPlaces: arrival.keyPlaces ?? AUTHORIZATION,
      settings,
      started: performance.now(),
      log: this.#logRequest,
      abort: new Abort(),
      gateway: gatewayOrClosed(settings.gateways, arrival.gatewayId),
      stream: false,
      outcome: {},
    }
    try {
      const pending = authenticate(exchange)
      if (!pending) return known(exchange)
      return pending
        .then(() => known(exchange))
        .catch(fault => {
          throw this.refuse(exchange, fault)
        })
    } catch (fault) {
      throw this.refuse(exchange, fault)
    }
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
  async manager(headers: Headers, account: string | undefined, permission: Permission | undefined): Promise<Manager> {
    await this.#stored.refresh()
    return managerOf(this.#settings, this.#store, headers, account, permission)
  }

  /** Puts a fault of our own into the log, where there is no exchange that it would stand with. */
  report(fault: unknown, path: string): void {
    this.#log.error({ error: fault, path }, 'a fault of our own')
  }

  /** What is in force for a gateway now. */
  settingsOf(id: string): GatewaySettings | undefined {
    return this.#settings.gateways.get(id)
  }

  /** Whether a gateway asks for no token. */
  isOpen(id: string): boolean {
    void this.#stored.refresh()
    return this.#settings.gateways.get(id)?.authentication === false
  }

  /** The provider that a word of an address stands for; a promise when the store must be asked first. */
  provider(slug: string): Reach | undefined | Promise<Reach | undefined> {
    const pending = this.#stored.refresh()
    return pending ? pending.then(() => this.#settings.registry.find(slug)) : this.#settings.registry.find(slug)
  }

  /** Whether a word of an address stands for a provider, as far as is known without asking the store. */
  knowsProvider(slug: string): boolean {
    return this.#settings.registry.find(slug) !== undefined
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

  /** What the management API made has changed. */
  #follow(): void {
    const { gateways, providers } = this.#stored
    const { config } = this.#settings
    this.#settings = {
      ...this.#settings,
      gateways: gatewaysOf(config.gateways, gateways),
      registry: new Registry(config, providers),
    }
    this.#models.forget()
  }

  #read(config: Config): Settings {
    return {
      config,
      accounts: new Set(config.accounts),
      tokens: new TokenBook(config, this.#store),
      keys: this.#keys,
      credits: this.#store.credits,
      accountLimit: this.#accountLimit,
      live: this.#live,
      sinks: this.#sinks,
      streams: this.streams,
      pools: this.#pools,
      flights: this.#flights,
      gateways: gatewaysOf(config.gateways, this.#stored.gateways),
      registry: new Registry(config, this.#stored.providers),
      stored: this.#stored,
      routes: new RouteBook(routesOf(config), this.#store.routes),
      policies: new PolicyBook(policiesOf(config), this.#store.policies, this.#log),
      log: this.#log,
    }
  }
}

/** What a caller says who may call: to others a header's fault is no matter. */
function known(exchange: Exchange): Exchange {
  demandGateway(exchange)
  exchange.controls = readControls(exchange.headers)
  exchange.ids.event = exchange.controls.eventId ?? exchange.ids.request
  return exchange
}

/** The routes of the file, by gateway. */
const routesOf = ({ gateways }: Config) =>
  new Map(Object.entries(gateways).map(([id, { routes = {} }]) => [id, routes]))

/** The policies of the file, by gateway. */
const policiesOf = ({ gateways }: Config) =>
  new Map(Object.entries(gateways).map(([id, { policies = [] }]) => [id, policies]))
