import type { FileRoutes } from '../../schemas/route.ts'
import type { RouteStore } from '../../storage/routes.ts'
import { Lately } from '../lately.ts'
import type { Graph } from './graph.ts'
import { readGraph } from './read-graph.ts'

/** Past this many compiled graphs all are compiled anew when they are next asked for. */
const MOST_COMPILED = 1_000
/** The longest name that a route can have: what is longer is not looked for. */
const LONGEST_NAME = 128

const NONE: ReadonlyMap<string, Graph> = new Map()

/** The dynamic routes of the gateways: those of the file, and those of the store, which may come and go. */
export class RouteBook {
  readonly #declared = new Map<string, Map<string, Graph>>()
  readonly #stored: Lately<Graph | undefined>
  /** By version: a version never changes. */
  readonly #compiled = new Map<string, Graph>()

  /** @param declared those of the file by gateway and name, which the configuration has found sound */
  constructor(declared: ReadonlyMap<string, FileRoutes>, store: Pick<RouteStore, 'live' | 'elements'>) {
    for (const [gateway, routes] of declared) {
      const graphs = new Map<string, Graph>()
      for (const [name, { elements }] of Object.entries(routes)) {
        const read = readGraph(elements)
        if ('graph' in read) graphs.set(name, read.graph)
      }
      this.#declared.set(gateway, graphs)
    }
    this.#stored = new Lately(async place => {
      const [gateway, name] = JSON.parse(place) as [string, string]
      const version = await store.live(gateway, name)
      if (version === undefined) return undefined
      const known = this.#compiled.get(version)
      if (known) return known
      const read = readGraph(await store.elements(version))
      if (!('graph' in read)) return undefined
      if (this.#compiled.size >= MOST_COMPILED) this.#compiled.clear()
      this.#compiled.set(version, read.graph)
      return read.graph
    })
  }

  /**
   * The live graph behind `dynamic/<name>` on a gateway that is known to be there; nothing where it has no such route.
   * Answers at once for routes of the file and for those asked for lately; otherwise asks the store.
   */
  find(gatewayId: string, name: string): Graph | undefined | Promise<Graph | undefined> {
    const declared = this.#declared.get(gatewayId)?.get(name)
    if (declared) return declared
    return name.length > LONGEST_NAME ? undefined : this.#stored.of(placeOf(gatewayId, name))
  }

  /** Those of the file. */
  declared(gatewayId: string): ReadonlyMap<string, Graph> {
    return this.#declared.get(gatewayId) ?? NONE
  }

  /** A route of the store has changed: this process follows at once, others within two seconds. */
  forget(gatewayId: string, name: string): void {
    this.#stored.forget(placeOf(gatewayId, name))
  }
}

const placeOf = (gateway: string, name: string) => JSON.stringify([gateway, name])
