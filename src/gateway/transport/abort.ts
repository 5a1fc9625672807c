/** Told when a call is aborted: an object rather than a function, so that nothing has to be made for each call. */
export interface AbortListener {
  handleEvent(): void
}

/** What ends a call before its time: the web's `AbortSignal`, or {@link Abort}, which costs a tenth of one. */
export interface CallSignal {
  readonly aborted: boolean
  readonly reason: unknown
  throwIfAborted(): void
  addEventListener(type: 'abort', listener: AbortListener): void
  removeEventListener(type: 'abort', listener: AbortListener): void
}

/**
 * An `AbortController` and its signal in one, as far as calls of our own need them. Every request has one and few are
 * aborted; the web's are objects of the runtime with lists of listeners.
 */
export class Abort implements CallSignal {
  aborted = false
  reason: unknown
  #listeners: AbortListener[] = NONE

  get signal(): this {
    return this
  }

  /** Does nothing the second time. */
  abort(reason: unknown = new DOMException('The operation was aborted.', 'AbortError')): void {
    if (this.aborted) return
    this.aborted = true
    this.reason = reason
    const listeners = this.#listeners
    this.#listeners = NONE
    for (const listener of listeners) listener.handleEvent()
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason
  }

  addEventListener(_type: 'abort', listener: AbortListener): void {
    if (!this.aborted) this.#listeners = this.#listeners.length ? [...this.#listeners, listener] : [listener]
  }

  removeEventListener(_type: 'abort', listener: AbortListener): void {
    this.#listeners =
      this.#listeners.length > 1 || this.#listeners[0] !== listener
        ? this.#listeners.filter(other => other !== listener)
        : NONE
  }
}

const NONE: AbortListener[] = []

/** A signal that the web's own functions understand. */
export function webSignalOf(signal: CallSignal): AbortSignal {
  if (signal instanceof AbortSignal) return signal
  const controller = new AbortController()
  if (signal.aborted) controller.abort(signal.reason)
  else signal.addEventListener('abort', { handleEvent: () => controller.abort(signal.reason) })
  return controller.signal
}
