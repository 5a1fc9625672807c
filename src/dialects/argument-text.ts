/**
 * One tool call's arguments as fragments arrive. Some providers open with an empty `{}` before the real text, send
 * nothing at all for a tool without arguments, or send `null` (T03, T04, trap 21): so what may still turn out to be one
 * of these waits.
 */
export interface ArgumentText {
  /** @returns what is certain to be part of the arguments now; may be empty */
  push(fragment: string | null | undefined): string
  /** The call is complete. @returns what waited; `{}` where the call had no arguments */
  close(): string
  /** The call was cut off. @returns what waited, as the model wrote it (T61, T63) */
  cut(): string
}

export function argumentText(): ArgumentText {
  let held = ''
  let flowing = false
  const take = () => {
    const text = held
    held = ''
    return text
  }
  return {
    push(fragment) {
      if (!fragment) return ''
      if (flowing) return fragment
      // A whole object behind the empty one: the empty one was only the opening.
      held = held === '{}' ? fragment : held + fragment
      if ('null'.startsWith(held) || '{}'.startsWith(held)) return ''
      flowing = true
      return take()
    },
    close() {
      if (flowing) return ''
      const text = take()
      return text === '' || text === 'null' ? '{}' : text
    },
    cut() {
      const text = take()
      return text === 'null' ? '' : text
    },
  }
}

/** The arguments of a call in a whole answer, as text: an object is written once, nothing and `null` become `{}` (T03, trap 26). */
export function wholeArguments(value: unknown): string {
  if (value === null || value === undefined) return '{}'
  if (typeof value !== 'string') return JSON.stringify(value)
  const text = value.trim()
  return text === '' || text === 'null' ? '{}' : value
}

/** The arguments of a call in the history, for targets that want the text of an object: anything else becomes `{}` (T57, T64). */
export function objectText(text: string): string {
  try {
    const value: unknown = JSON.parse(text)
    return value && typeof value === 'object' && !Array.isArray(value) ? text : '{}'
  } catch {
    return '{}'
  }
}
