import { demandManaged, notThere } from '../../gateway/manage.ts'
import { success } from './answers.ts'
import type { ManagementHandler } from './call.ts'

/** Words that stand in an address where a provider's name does. */
const UNIVERSAL = 'universal'
const COMPAT = 'compat'

/** The result is the plain text of the address (contract 11.10). */
const getGatewayUrl: ManagementHandler = ({ params, manager }) => {
  const { gateway = '', slug = '' } = params
  demandManaged(manager, gateway)
  const { config, registry } = manager.settings
  const base = `${config.server.public_url}/v1/${manager.account}/${gateway}`
  if (slug === UNIVERSAL) return success(base)
  const name = slug === COMPAT ? COMPAT : registry.find(slug)?.provider.slug
  if (name === undefined) throw notThere('provider')
  return success(`${base}/${name}`)
}

export const urls = { getGatewayUrl }
