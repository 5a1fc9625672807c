import type { KeyCipher } from '../storage/key-cipher.ts'
import type { Store, StoredKey } from '../storage/store.ts'
import { Lately } from './lately.ts'

interface Window {
  count: number
  /** Milliseconds since 1970. */
  ends: number
}

/** Of a limit without a period. */
const MINUTE_S = 60

/** The stored keys of providers, which may come and go while the server runs, and how often each was used of late. */
export class KeyBook {
  readonly #stored: Lately<readonly StoredKey[]>
  readonly #windows = new Map<string, Window>()
  readonly #opened = new WeakMap<StoredKey, string>()
  readonly #cipher: KeyCipher

  constructor(store: Store, cipher: KeyCipher) {
    this.#stored = new Lately(provider => store.keys.ofProvider(provider))
    this.#cipher = cipher
  }

  /** The keys of a provider, on whatever gateway. Answers at once when it was asked lately; otherwise asks the store. */
  of(provider: string): readonly StoredKey[] | Promise<readonly StoredKey[]> {
    return this.#stored.of(provider)
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
