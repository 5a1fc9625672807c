/** A store that cannot be used as asked. The message is for the operator and names no secret. */
export class StorageError extends Error {
  override readonly name = 'StorageError'
  /** `configuration`: the operator asked for something that is not there; `use`: the store itself is at fault. */
  readonly kind: 'configuration' | 'use'

  constructor(kind: 'configuration' | 'use', message: string) {
    super(message)
    this.kind = kind
  }
}
