import type { Config } from '../config/schema.ts'
import type { JsonObject } from '../conversation/conversation.ts'
import type { ClientDialect } from '../dialects/dialect.ts'
import { Registry } from '../providers/registry.ts'
import type { Store } from '../storage/store.ts'
import type { Logger, RequestLog } from '../telemetry/log.ts'
import { answer } from './answer.ts'
import { attempt } from './attempt.ts'
import { authenticate } from './authenticate.ts'
import { chooseTarget } from './choose-target.ts'
import { chooseCredential } from './credential.ts'
import type { Exchange, Settings } from './exchange.ts'
import { GatewayFault } from './fault.ts'
import { demandGateway, gatewayOrClosed, gatewaysOf } from './find-gateway.ts'
import { ModelCatalogue } from './models.ts'
import { record } from './record.ts'
import { TokenBook } from './tokens.ts'
import { writeRequest } from './write-request.ts'

/** What a surface knows of a request before its body is read. */
export interface Arrival {
  request: Request
  path: string
  account: string
  gatewayId: string
  client: ClientDialect
}

/** The way of one request, in the order of the steps. It knows neither Elysia nor any provider's name. */
export class Gateway {
  #settings: Settings
  readonly #store: Store
  readonly #log: Logger
  readonly #logRequest: RequestLog
  readonly #models = new ModelCatalogue()

  constructor(config: Config, store: Store, log: Logger, logRequest: RequestLog) {
    this.#logRequest = logRequest
    this.#store = store
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
    const exchange: Exchange = {
      request: arrival.request,
      path: arrival.path,
      account: arrival.account,
      gatewayId: arrival.gatewayId,
      client: arrival.client,
      settings,
      started: performance.now(),
      log: this.#logRequest,
      abort: new AbortController(),
      gateway: gatewayOrClosed(settings.gateways, arrival.gatewayId),
      text: '',
      body: {},
      stream: false,
      outcome: {},
    }
    try {
      const pending = authenticate(exchange)
      if (pending) await pending
      demandGateway(exchange)
    } catch (fault) {
      throw this.refuse(exchange, fault)
    }
    return exchange
  }

  /** The rest of the way. @throws GatewayFault, of which nothing has been sent yet; the surface gives it to {@link refuse} */
  async serve(exchange: Exchange, body: JsonObject, text: string): Promise<Response> {
    exchange.body = body
    exchange.text = text
    exchange.stream = body.stream === true
    const leave = () => {
      exchange.outcome.left = true
      exchange.abort.abort()
    }
    const { signal } = exchange.request
    if (signal.aborted) leave()
    else signal.addEventListener('abort', leave, { once: true })
    chooseTarget(exchange)
    chooseCredential(exchange)
    writeRequest(exchange)
    return answer(exchange, await attempt(exchange))
  }

  /** What the configured providers can serve. @throws GatewayFault */
  async models(exchange: Exchange): Promise<JsonObject> {
    const list = await this.#models.list(exchange, this.#log)
    record(exchange, 200)
    return list
  }

  /** Puts a refusal on record, whoever made it. */
  refuse(exchange: Exchange, fault: unknown): unknown {
    const known = fault instanceof GatewayFault
    exchange.outcome.error ??= {
      status: known ? fault.status : 500,
      message: '',
      type: known ? fault.type : 'server_error',
      code: known ? fault.code : 'internal',
    }
    if (!known && !exchange.outcome.left) this.#log.error({ error: fault, path: exchange.path }, 'a fault of our own')
    record(exchange, exchange.outcome.error.status)
    return fault
  }

  #read(config: Config): Settings {
    return {
      config,
      accounts: new Set(config.accounts),
      tokens: new TokenBook(config, this.#store),
      gateways: gatewaysOf(config.gateways),
      registry: new Registry(config),
    }
  }
}
