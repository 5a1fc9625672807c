import type { KeyCipher } from '../storage/key-cipher.ts'
import type { Store, StoredKey } from '../storage/store.ts'

interface Remembered {
  keys: readonly StoredKey[]
  /** Milliseconds since 1970. */
  until: number
}

interface Window {
  count: number
  /** Milliseconds since 1970. */
  ends: number
}

/** How long an answer of the store holds: a key that is removed stops working, and a new one starts, within this time. */
const HOLD_MS = 2_000
/** Of a limit without a period. */
const MINUTE_S = 60

/** The stored keys of providers, which may come and go while the server runs, and how often each was used of late. */
export class KeyBook {
  readonly #remembered = new Map<string, Remembered>()
  readonly #windows = new Map<string, Window>()
  readonly #opened = new WeakMap<StoredKey, string>()
  readonly #store: Store
  readonly #cipher: KeyCipher

  constructor(store: Store, cipher: KeyCipher) {
    this.#store = store
    this.#cipher = cipher
  }

  /** The keys of a provider, on whatever gateway. Answers at once when it was asked lately; otherwise asks the store. */
  of(provider: string): readonly StoredKey[] | Promise<readonly StoredKey[]> {
    const remembered = this.#remembered.get(provider)
    return remembered && remembered.until > Date.now() ? remembered.keys : this.#ask(provider)
  }

  async #ask(provider: string): Promise<readonly StoredKey[]> {
    const keys = await this.#store.keys.ofProvider(provider)
    this.#remembered.set(provider, { keys, until: Date.now() + HOLD_MS })
    return keys
  }

  /** The key itself, or nothing when it cannot be decrypted. @throws StorageError when what decrypts it cannot be read */
  open(key: StoredKey): string | undefined {
    const known = this.#opened.get(key)
    if (known !== undefined) return known
    const opened = this.#cipher.open(key, key)
    if (opened !== undefined) this.#opened.set(key, opened)
    return opened
  }

  /**
   * Counts one use of a key against its own limit, in a fixed window that begins with the first use. Each process counts
   * for itself.
   * @returns nothing when the key may be used, otherwise the seconds until it may be again
   */
  spend({ id, rate_limit, rate_limit_period }: StoredKey, now = Date.now()): number | undefined {
    if (rate_limit === undefined) return undefined
    let window = this.#windows.get(id)
    if (!window || window.ends <= now) {
      window = { count: 0, ends: now + (rate_limit_period ?? MINUTE_S) * 1_000 }
      this.#windows.set(id, window)
    }
    if (window.count >= rate_limit) return Math.ceil((window.ends - now) / 1_000)
    window.count++
    return undefined
  }
}
