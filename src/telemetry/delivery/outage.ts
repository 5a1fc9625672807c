import type { Logger } from '../log.ts'

/** Tells of a receiver that is down once when it goes down and once when it is back, however often it is tried. */
export class Outage {
  readonly #log: Logger
  readonly #facts: Record<string, unknown>
  #down = false
  #failures = 0

  /** @param facts what the line says beside the reason: which receiver it is; never its headers or its query */
  constructor(log: Logger, facts: Record<string, unknown>) {
    this.#log = log
    this.#facts = facts
  }

  get isDown(): boolean {
    return this.#down
  }

  failed(reason: string): void {
    this.#failures++
    if (this.#down) return
    this.#down = true
    this.#log.error({ ...this.#facts, reason }, 'receiver not reached: trying again')
  }

  worked(): void {
    if (!this.#down) return
    this.#log.info({ ...this.#facts, failures: this.#failures }, 'receiver reached again')
    this.#down = false
    this.#failures = 0
  }
}

/** An address without what may be secret in it. */
export function withoutSecrets(address: string): string {
  try {
    const { protocol, host, pathname } = new URL(address)
    return `${protocol}//${host}${pathname}`
  } catch {
    return 'an address that cannot be read'
  }
}
