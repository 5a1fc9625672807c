import type { Permission } from '../../config/schema.ts'
import { nearest } from '../../config/suggest.ts'
import type { NewToken } from '../../schemas/management/tokens.ts'
import { invalid } from './answers.ts'

/**
 * What Cloudflare's `policies` of a token mean here: permission groups are our permissions, and resources the account or
 * some of its gateways. What has no meaning here is refused: a restriction that is not kept would open more than it says.
 */

/** Their ids have the length of Cloudflare's, and say what they are. */
const groupId = (permission: Permission) => Buffer.from(`postern-${permission}`).toString('hex').padEnd(32, '0')
const group = (permission: Permission, name: string, ...others: string[]) => ({
  permission,
  id: groupId(permission),
  name,
  /** Other words for it, in lower case. */
  words: [groupId(permission), permission, name.toLowerCase(), ...others],
})
const groups = [
  group('run', 'AI Gateway Run'),
  group('read', 'AI Gateway Read'),
  group('edit', 'AI Gateway Write', 'ai gateway edit'),
]

const ACCOUNT_SCOPE = 'com.cloudflare.api.account'
const GATEWAY_SCOPE = 'com.postern.gateway'

export const permissionGroups = groups.map(({ id, name }) => ({
  id,
  name,
  category: 'ai_and_machine_learning',
  is_selectable: true,
  scopes: [ACCOUNT_SCOPE],
}))

/** What a token may do, and where; all gateways where none are named. */
export interface Grant {
  permissions: Permission[]
  gateways?: string[]
}

/** @throws GatewayFault 400/7001 for what has no meaning here */
export function grantIn(value: NewToken, accounts: ReadonlySet<string>): Grant {
  const { permissions, gateways, policies } = value
  if (permissions)
    return { permissions: [...new Set(permissions)], ...(gateways && { gateways: [...new Set(gateways)] }) }
  if (!policies?.length) throw wrong('permissions', 'required, unless policies say it')
  if (gateways) throw wrong('gateways', 'expected beside permissions; policies name them among their resources')
  const granted = new Set<Permission>()
  let opened: string | undefined
  for (const [index, { effect, permission_groups, resources }] of policies.entries()) {
    const at = `policies[${index}]`
    if (effect === 'deny') throw wrong(`${at}.effect`, 'expected "allow"; what is not allowed is denied')
    if (!permission_groups.length) throw wrong(`${at}.permission_groups`, 'expected a list that is not empty')
    for (const [number, said] of permission_groups.entries())
      granted.add(permissionIn(said, `${at}.permission_groups[${number}]`))
    const here = JSON.stringify(gatewaysIn(resources, accounts, `${at}.resources`))
    if (opened !== undefined && here !== opened)
      throw wrong(
        `${at}.resources`,
        'expected those of the other policies: a token may do the same on all of its gateways',
      )
    opened = here
  }
  const named = JSON.parse(opened!) as string[]
  return { permissions: [...granted], ...(named.length && { gateways: named }) }
}

/** The same in Cloudflare's words. */
export function policiesOf({ permissions, gateways }: Grant, id: string, account: string) {
  return [
    {
      id,
      effect: 'allow' as const,
      permission_groups: groups
        .filter(({ permission }) => permissions.includes(permission))
        .map(({ id, name }) => ({ id, name })),
      resources: {
        [`${ACCOUNT_SCOPE}.${account}`]: gateways
          ? Object.fromEntries(gateways.map(gateway => [`${GATEWAY_SCOPE}.${gateway}`, '*']))
          : '*',
      },
    },
  ]
}

function permissionIn({ id, name }: { id: string; name?: string }, at: string): Permission {
  const words = [id, name ?? ''].map(word => word.toLowerCase())
  const found = groups.find(one => words.some(word => one.words.includes(word)))
  if (found) return found.permission
  const near = nearest(words[0]!, ['run', 'read', 'edit'])
  throw wrong(
    `${at}.id`,
    `expected one of the permission groups of this account${near ? `; did you mean "${near}"?` : ', or "run", "read" or "edit"'}`,
  )
}

type Resources = NonNullable<NewToken['policies']>[number]['resources']

/** The gateways that are named, in the order of the alphabet; none for all. */
function gatewaysIn(resources: Resources, accounts: ReadonlySet<string>, at: string): string[] {
  const named = new Set<string>()
  let all = false
  for (const [resource, below] of Object.entries(resources)) {
    const account = behind(resource, ACCOUNT_SCOPE)
    const known = account !== undefined && (account === '*' || accounts.has(account))
    if (!known) throw wrong(at, `expected "${ACCOUNT_SCOPE}.<account>" with an account of this gateway for every key`)
    if (typeof below === 'string') {
      if (below !== '*') throw wrong(at, 'expected "*" or an object for every key')
      all = true
      continue
    }
    for (const [name, star] of Object.entries(below)) {
      const gateway = behind(name, GATEWAY_SCOPE)
      if (!gateway || star !== '*') throw wrong(at, `expected "${GATEWAY_SCOPE}.<id>" with "*" below the account`)
      named.add(gateway)
    }
  }
  if (all === named.size > 0) throw wrong(at, 'expected "*" for all gateways, or gateways by name')
  return [...named].sort()
}

const behind = (text: string, scope: string): string | undefined =>
  text.startsWith(`${scope}.`) ? text.slice(scope.length + 1) : undefined

const wrong = (path: string, why: string) => invalid('body', { path, message: `${path}: ${why}` })
