/** A name for an answer or a call that the provider gave none. */
export const mintId = (prefix: string): string => prefix + crypto.randomUUID().replaceAll('-', '')

/** Seconds since 1970, also from milliseconds (T98); now, where the provider named no time (Azure's first chunk has 0). */
export function seconds(created: number | undefined): number {
  if (!created) return Math.floor(Date.now() / 1_000)
  return Math.floor(created > 99_999_999_999 ? created / 1_000 : created)
}
