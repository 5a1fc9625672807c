import type { Event } from '../../conversation/events.ts'
import { mintId } from './identity.ts'
import type { ToolCall } from './types.ts'

interface Open {
  call: number
  /** The wire's index; undefined where the server sends none. */
  index?: number | undefined
  /** The wire's id, before it was made unique. */
  id?: string
  name?: string
  announced: boolean
  /** All of the arguments so far. */
  arguments: string
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
    open.arguments += text
    if (open.announced) events.push({ type: 'tool-arguments', choice: this.#choice, call: open.call, text })
    else open.held += text
  }

  /** How many calls there are. */
  get size(): number {
    return this.#calls.length
  }

  /**
   * Announces what never got a name, so that its arguments are not lost, and gives a call without arguments its empty
   * object (T03, trap 21).
   * @param cut whether the model was stopped before its end: what is missing then stays missing (T61)
   */
  close(events: Event[], cut: boolean): void {
    for (const open of this.#calls) {
      if (!open.announced && (open.held || open.id)) {
        open.name ??= 'unknown'
        this.#announce(open, events)
      }
      if (cut || open.arguments || !open.announced) continue
      open.arguments = '{}'
      events.push({ type: 'tool-arguments', choice: this.#choice, call: open.call, text: '{}' })
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

  /** The call that a fragment goes on with, or a new one. */
  #find(wire: ToolCall): Open {
    const known = this.#known(wire)
    return known && !isAnother(known, wire) ? known : this.#open(wire)
  }

  #known(wire: ToolCall): Open | undefined {
    const index = wire.index ?? undefined
    if (index === undefined) return wire.id ? this.#calls.findLast(call => call.id === wire.id) : this.#calls.at(-1)
    const known = this.#calls.findLast(call => call.index === index)
    // Mistral may leave the index out of the first fragment only.
    return (
      known ?? (wire.id || wire.function?.name ? undefined : this.#calls.findLast(call => call.index === undefined))
    )
  }

  #open(wire: ToolCall): Open {
    const open: Open = {
      call: this.#calls.length,
      index: wire.index ?? undefined,
      announced: false,
      arguments: '',
      held: '',
    }
    this.#calls.push(open)
    return open
  }
}

/** Whether a fragment that points to a known call begins another one all the same: servers use 0 for every call (trap 23). */
function isAnother(known: Open, wire: ToolCall): boolean {
  const name = wire.function?.name
  // An id without a name is a server that makes one up for each fragment; a name without more only repeats itself.
  if (!name) return false
  if (wire.id && known.id && wire.id !== known.id) return true
  if (wire.id && wire.id === known.id && known.index !== undefined) return false
  if (known.name && known.name !== name) return true
  return argumentsText(wire.function?.arguments).trimStart().startsWith('{') && isWhole(known.arguments)
}

function isWhole(json: string): boolean {
  try {
    JSON.parse(json)
    return true
  } catch {
    return false
  }
}

/** Arguments as text; an object, as some servers send it, is written once and never twice (trap 26). */
export function argumentsText(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}
