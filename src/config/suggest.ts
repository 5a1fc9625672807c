/** How many letters must be changed, added, dropped or swapped with their neighbour (Damerau and Levenshtein). */
function distance(one: string, other: string): number {
  let before: number[] = []
  let last = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (let row = 1; row <= one.length; row++) {
    const current = [row]
    for (let column = 1; column <= other.length; column++) {
      const same = one[row - 1] === other[column - 1]
      let best = Math.min(last[column]! + 1, current[column - 1]! + 1, last[column - 1]! + (same ? 0 : 1))
      const swapped = row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1]
      if (swapped) best = Math.min(best, before[column - 2]! + 1)
      current.push(best)
    }
    before = last
    last = current
  }
  return last[other.length]!
}

/** `cacheTtl`, `cache-ttl` and `CACHE_TTL` are the same word to a person. */
const plain = (word: string) => word.toLowerCase().replace(/[-_. ]/g, '')

/**
 * The known word that a person most likely meant; undefined when none is near. Near is: the same but for case and
 * dashes, a third of its letters wrong at most, or one the beginning of the other (`google` → `google-ai-studio`).
 */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  const wanted = plain(word)
  if (!wanted) return undefined
  let best: string | undefined
  let least = Number.POSITIVE_INFINITY
  for (const candidate of known) {
    const other = plain(candidate)
    let far = wanted === other ? 0 : distance(wanted, other)
    const begins = wanted.length > 2 && other.length > 2 && (other.startsWith(wanted) || wanted.startsWith(other))
    if (far > Math.max(1, Math.floor(Math.max(wanted.length, other.length) / 3))) {
      if (!begins) continue
      // A mere beginning counts less than a slip of the finger.
      far += 100
    }
    if (far < least) {
      least = far
      best = candidate
    }
  }
  return best
}

/** `; did you mean "port"?`, or nothing when no known word is near. */
export function hint(word: string, known: Iterable<string>): string {
  const near = nearest(word, known)
  return near === undefined ? '' : `; did you mean ${JSON.stringify(near)}?`
}

/** `"run", "read" or "edit"` */
export function either(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}
