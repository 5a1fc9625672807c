import { CredentialFault } from '../providers/auth/auth.ts'
import { fill, fillsOf, MissingSetting } from '../providers/placeholders.ts'
import type { Place, Provider } from '../providers/provider.ts'
import type { Reach } from '../providers/registry.ts'
import { credentialRefused, GatewayFault } from './fault.ts'

/** Gathers what an address may depend on: settings of the operator first, then what the credential itself says. */
export function placeOf(reach: Reach, model: string, stream: boolean, credential?: string): Place {
  const { provider, settings, base } = reach
  const told = credential && provider.placeIn ? toldBy(provider, credential) : undefined
  const { resource, deployment, api_version, account } = settings
  return {
    model,
    stream,
    base,
    resource,
    deployment,
    api_version,
    account,
    region: settings.region ?? told?.region,
    project: settings.project ?? told?.project,
  }
}

function toldBy(provider: Provider, credential: string): ReturnType<NonNullable<Provider['placeIn']>> {
  try {
    return provider.placeIn!(credential)
  } catch (fault) {
    if (!(fault instanceof CredentialFault)) throw fault
    throw credentialRefused(provider.title, fault.message)
  }
}

/**
 * Puts base and path together and fills the placeholders. An operator may have written the version at the end of the
 * base, as most SDKs want it; where the path begins with the version that it is written for, that one counts.
 * @throws GatewayFault 400 naming the setting that is missing
 */
export function addressOf(reach: Reach, path: string, place: Place): string {
  const template = `${namesVersion(path) ? reach.unversioned : reach.base}/${path}`
  if (!template.includes('{')) return template
  const { provider } = reach
  const region = place.region ?? provider.defaultRegion
  try {
    return fill(template, fillsOf({ ...place, region }))
  } catch (fault) {
    if (!(fault instanceof MissingSetting)) throw fault
    throw new GatewayFault({
      status: 400,
      code: 'provider_not_configured',
      message: `${provider.title} needs its ${fault.setting}: set providers.${provider.slug}.${fault.setting} in postern.yaml`,
    })
  }
}

/** Whether it begins with `v1/` or the like. */
function namesVersion(path: string): boolean {
  const digit = path.charCodeAt(1)
  return path.charCodeAt(0) === LETTER_V && digit >= 48 && digit <= 57
}

const LETTER_V = 118
