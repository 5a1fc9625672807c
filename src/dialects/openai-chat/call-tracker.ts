import type { Event } from '../../conversation/events.ts'
import { mintId } from './identity.ts'
import type { ToolCall } from './types.ts'

interface Open {
  call: number
  /** The wire's index; undefined where the server sends none. */
  index?: number
  /** The wire's id, before it was made unique. */
  id?: string
  name?: string
  announced: boolean
  hasArguments: boolean
  /** Arguments and signature that came before the name. */
  held: string
  signature?: string
}

/**
 * Sorts fragments of tool calls into calls numbered densely from 0: servers leave out the index, use 0 for every call,
 * repeat the name on each fragment, or send arguments as an object (traps 22–28, T24).
 */
export class CallTracker {
  readonly #choice: number
  readonly #names?: Map<string, string>
  readonly #calls: Open[] = []
  readonly #ids = new Set<string>()

  constructor(choice: number, names?: Map<string, string>) {
    this.#choice = choice
    this.#names = names
  }

  read(wire: ToolCall, events: Event[]): void {
    const open = this.#find(wire)
    const signature = wire.extra_content?.google?.thought_signature
    if (signature) open.signature = signature
    if (wire.id) open.id ??= wire.id
    if (wire.function?.name) open.name ??= wire.function.name
    const text = argumentsText(wire.function?.arguments)
    if (!open.announced && open.name) this.#announce(open, events)
    if (!text) return
    open.hasArguments = true
    if (open.announced) events.push({ type: 'tool-arguments', choice: this.#choice, call: open.call, text })
    else open.held += text
  }

  /** Announces what never got a name, so that its arguments are not lost. */
  close(events: Event[]): void {
    for (const open of this.#calls)
      if (!open.announced && (open.held || open.id)) {
        open.name ??= 'unknown'
        this.#announce(open, events)
      }
  }

  #announce(open: Open, events: Event[]): void {
    open.announced = true
    // The same id twice cannot be answered apart: Kimi and others reuse theirs (trap 24).
    let id = open.id || mintId('call_')
    while (this.#ids.has(id)) id = mintId('call_')
    this.#ids.add(id)
    const name = this.#names?.get(open.name!) ?? open.name!
    events.push({
      type: 'tool-call',
      choice: this.#choice,
      call: open.call,
      id,
      name,
      ...(open.signature && { signature: open.signature }),
    })
    if (open.held) events.push({ type: 'tool-arguments', choice: this.#choice, call: open.call, text: open.held })
    open.held = ''
  }

  #find(wire: ToolCall): Open {
    const last = this.#calls.at(-1)
    const known = wire.index === undefined ? undefined : this.#calls.findLast(call => call.index === wire.index)
    if (known) {
      const another = wire.id && known.id && wire.id !== known.id && wire.function?.name
      return another ? this.#open(wire) : known
    }
    if (wire.index !== undefined) return this.#open(wire)
    if (wire.id) return this.#calls.find(call => call.id === wire.id && !wire.function?.name) ?? this.#open(wire)
    const fresh = wire.function?.name && (!last || last.hasArguments || last.name !== wire.function.name)
    return fresh || !last ? this.#open(wire) : last
  }

  #open(wire: ToolCall): Open {
    const open: Open = { call: this.#calls.length, index: wire.index, announced: false, hasArguments: false, held: '' }
    this.#calls.push(open)
    return open
  }
}

/** Arguments as text; an object, as some servers send it, is written once and never twice (trap 26). */
export function argumentsText(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}
