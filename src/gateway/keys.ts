import type { KeyCipher, SealedKey } from '../storage/key-cipher.ts'
import type { KeyStore, Store, StoredKey } from '../storage/store.ts'
import { Lately } from './lately.ts'

/** The stored keys of providers, which may come and go while the server runs. */
export class KeyBook {
  readonly #stored: Lately<readonly StoredKey[]>
  readonly #opened = new WeakMap<StoredKey, string>()
  readonly #cipher: KeyCipher
  readonly #store: KeyStore

  constructor(store: Store, cipher: KeyCipher) {
    this.#stored = new Lately(provider => store.keys.ofProvider(provider))
    this.#cipher = cipher
    this.#store = store.keys
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
   * Seals a key and keeps it. This process knows of a change at once, others within two seconds.
   * @returns whether its alias was free
   * @throws StorageError when there is no secret to seal it with
   */
  async add(text: string, key: Omit<StoredKey, keyof SealedKey>): Promise<boolean> {
    const added = await this.#store.add({ ...key, ...this.#cipher.seal(text, key) })
    this.#stored.forget(key.provider)
    return added
  }

  /**
   * Keeps what has changed of a key: everything but its id, provider, gateway and alias.
   * @param text a new key in the place of the old one, which stays where this is left out
   * @returns whether it was still there
   * @throws StorageError as {@link add} does
   */
  async change(key: StoredKey, text?: string): Promise<boolean> {
    const sealed = text === undefined ? undefined : this.#cipher.seal(text, key)
    const changed = await this.#store.change({ ...key, ...sealed })
    this.#stored.forget(key.provider)
    return changed
  }

  /** Keys of a provider have gone with what they belonged to: this process follows at once. */
  forget(provider: string): void {
    this.#stored.forget(provider)
  }

  /** @returns whether it was still there */
  async remove({ id, provider }: StoredKey): Promise<boolean> {
    const removed = await this.#store.remove(id)
    this.#stored.forget(provider)
    return removed
  }
}
