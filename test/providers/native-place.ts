import type { File } from '../../src/config/schema.ts'
import type { NativeAddress } from '../../src/providers/native/address.ts'
import { Registry } from '../../src/providers/registry.ts'
import { configOf } from '../support/app.ts'

interface Given {
  /** Of the provider, as in the file. */
  settings?: Record<string, unknown>
  credential?: string
  headers?: Record<string, string>
}

/** Where a path behind a slug goes, with these settings of its provider. */
export function placed(slug: string, path: string, { settings = {}, credential, headers }: Given = {}): NativeAddress {
  const own = slug.startsWith('custom-')
  const file = own ? { custom_providers: { [slug.slice(7)]: settings } } : { providers: { [slug]: settings } }
  const reach = new Registry(configOf(file as File)).find(slug)
  if (!reach) throw new Error(`no provider ${slug}`)
  const told = credential === undefined ? undefined : reach.provider.placeIn?.(credential)
  return reach.provider.native(path, {
    ...reach.settings,
    base: reach.base,
    region: reach.settings.region ?? told?.region,
    project: reach.settings.project ?? told?.project,
    credential,
    headers: headers && new Headers(headers),
  })
}
