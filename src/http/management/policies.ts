import { Type } from '@sinclair/typebox'
import { declaredAt } from '../../config/declared.ts'
import { GatewayFault } from '../../gateway/fault.ts'
import { demandManaged, type Manager, notThere } from '../../gateway/manage.ts'
import { writtenOf } from '../../gateway/policies/book.ts'
import { compilePolicies, problemsOf, withId } from '../../gateway/policies/compile.ts'
import { simulate } from '../../gateway/policies/simulate.ts'
import {
  CreatePolicy,
  type FilePolicy,
  MOST_POLICIES,
  type Policy,
  SimulatePolicies,
  UpdatePolicy,
} from '../../schemas/policy.ts'
import type { StoredPolicy } from '../../storage/policies.ts'
import { invalid, success, unchangeable } from './answers.ts'
import type { ManagementHandler } from './call.ts'
import { bodyReader, queryReader } from './input.ts'
import { pageFrom, pageOf } from './paging.ts'

/**
 * Policies of a gateway (contract 5.3 and 11.8; https://developers.cloudflare.com/ai-gateway/features/policies/). Those of
 * the file are listed first, marked, and changed there.
 */

export const ListPoliciesQuery = Type.Object({
  includeStaging: Type.Optional(Type.Boolean({ description: 'Whether drafts are shown.' })),
})
export const CommitQuery = Type.Object({
  commit: Type.Optional(Type.Boolean({ description: 'In force at once; otherwise it is a draft.' })),
})

const readNew = bodyReader(CreatePolicy)
const readChange = bodyReader(UpdatePolicy)
const readSimulation = bodyReader(SimulatePolicies)
const readList = queryReader(ListPoliciesQuery)
const readCommit = queryReader(CommitQuery)

const listPolicies: ManagementHandler = async ({ request, params, manager }) => {
  const { gateway, store } = scopeOf(manager, params)
  const { includeStaging = false } = readList(request)
  const stored = (await store.list(gateway)).filter(({ draft }) => includeStaging || !draft)
  const list = [...declaredIn(manager, gateway).map(({ shown }) => shown), ...stored.map(shownOf)]
  // Cloudflare answers with all of them; whoever asks for pages must come upon an empty one.
  return /[?&](?:per_)?page=/.test(request.url) ? pageFrom(list, pageOf(request)) : success(list)
}

const getPolicy: ManagementHandler = async ({ request, params, manager }) => {
  const { gateway, store } = scopeOf(manager, params)
  const { includeStaging = false } = readList(request)
  const declared = declaredIn(manager, gateway).find(({ shown }) => shown.id === params.id)
  if (declared) return success(declared.shown)
  const rows = (await store.list(gateway)).filter(({ id }) => id === params.id)
  const draft = includeStaging ? rows.find(row => row.draft) : undefined
  const one = draft ?? rows.find(row => !row.draft)
  if (!one) throw notThere('policy')
  return draft ? flagged(shownOf(one), { uncommitted: true }) : success(shownOf(one))
}

const createPolicy: ManagementHandler = async ({ request, params, manager }) => {
  const { gateway, store } = scopeOf(manager, params)
  const { commit = false } = readCommit(request)
  const { value } = await readNew(request, manager.settings.config.server.max_body)
  demandSound(manager, value)
  const stored = await store.add(gateway, value, !commit, MOST_POLICIES)
  if (!stored) throw invalid('body', { path: '', message: `a gateway has at most ${MOST_POLICIES} policies` })
  told(manager, 'policy created', gateway, stored.id, commit)
  return flagged(shownOf(stored), { committed: commit })
}

const updatePolicy: ManagementHandler = async ({ request, params, manager }) => {
  const { gateway, store } = scopeOf(manager, params)
  const { commit = false } = readCommit(request)
  const id = changeable(manager, gateway, params.id)
  const { value } = await readChange(request, manager.settings.config.server.max_body)
  const stored = await store.update(gateway, id, value, commit, policy => demandSound(manager, policy))
  if (!stored) throw notThere('policy')
  if (stored === 'draft')
    throw new GatewayFault({
      status: 400,
      number: 7_001,
      code: 'invalid_request',
      message:
        'only a policy that has been committed can be changed: commit the draft, or remove it and create another',
    })
  told(manager, 'policy changed', gateway, id, commit)
  return flagged(shownOf(stored), { committed: commit })
}

const deletePolicy: ManagementHandler = async ({ params, manager }) => {
  const { gateway, store } = scopeOf(manager, params)
  const id = changeable(manager, gateway, params.id)
  if (!(await store.remove(gateway, id))) throw notThere('policy')
  told(manager, 'policy removed', gateway, id, true)
  return success({ id })
}

const commitPolicies: ManagementHandler = async ({ params, manager }) => {
  const { gateway, store } = scopeOf(manager, params)
  const { committed, failed } = await store.commit(gateway, policy => {
    const [first] = problemsOf(policy, knownTo(manager))
    return first && `${first.steps.join('.')}: ${first.text}`
  })
  for (const { id } of committed) told(manager, 'policy committed', gateway, id, true)
  const result = {
    committed: committed.length,
    failed: failed.length,
    policies: committed.map(shownOf),
    ...(failed.length && { errors: failed.map(({ id, error }) => ({ policyId: id, error })) }),
  }
  return failed.length ? Response.json({ success: false, errors: [], messages: [], result }) : success(result)
}

/** What is in force and what is a draft, together: a draft stands for what it is to replace. */
const simulatePolicies: ManagementHandler = async ({ request, params, manager }) => {
  const { gateway, store } = scopeOf(manager, params)
  const { value, notes } = await readSimulation(request, manager.settings.config.server.max_body)
  const rows = new Map<string, StoredPolicy>()
  // Drafts come behind.
  for (const row of await store.list(gateway)) rows.set(row.id, row)
  const list = [...filePolicies(manager, gateway).map(withId), ...[...rows.values()].map(writtenOf)]
  return success(simulate(compilePolicies(list), value), { notes })
}

export const policies = {
  listPolicies,
  getPolicy,
  createPolicy,
  updatePolicy,
  deletePolicy,
  commitPolicies,
  simulatePolicies,
}

function scopeOf(manager: Manager, { gateway = '' }: Readonly<Record<string, string>>) {
  demandManaged(manager, gateway)
  return { gateway, store: manager.store.policies }
}

const filePolicies = ({ settings }: Manager, gateway: string): readonly FilePolicy[] =>
  settings.config.gateways[gateway]?.policies ?? []

/** Those of the file as they are shown, with where they stand. */
function declaredIn(manager: Manager, gateway: string): { shown: Policy; place: string }[] {
  const { config } = manager.settings
  const modified = Math.floor((config.declared?.modified ?? performance.timeOrigin) / 1000)
  return filePolicies(manager, gateway).map((policy, index) => ({
    shown: { ...filled(withId(policy, index)), declared: true, created_at: modified, updated_at: modified },
    place: declaredAt(config, ['gateways', gateway, 'policies', String(index)]) ?? 'the configuration',
  }))
}

/** @throws GatewayFault 409 for a policy of the file */
function changeable(manager: Manager, gateway: string, id = ''): string {
  const declared = declaredIn(manager, gateway).find(({ shown }) => shown.id === id)
  if (declared) throw unchangeable(`the policy "${id}" is declared in ${declared.place}: change it there`)
  return id
}

/** @throws GatewayFault 400/7001 that says which character is wrong */
function demandSound(manager: Manager, policy: CreatePolicy): void {
  const [first] = problemsOf(policy, knownTo(manager))
  if (!first) return
  const path = first.steps.join('.')
  throw invalid('body', { path, message: `${path}: ${first.text}` })
}

const knownTo = ({ settings: { registry } }: Manager) => ({
  isProvider: (slug: string) => registry.find(slug)?.provider.slug === slug,
  providers: registry.all.map(({ provider }) => provider.slug),
})

const filled = <P extends CreatePolicy & { id: string }>(policy: P) => ({
  actor: '*',
  resource: '*' as const,
  condition: 'true',
  enabled: true,
  ...policy,
})

const shownOf = ({ id, policy, draft, created, modified }: StoredPolicy): Policy => ({
  ...filled({ id, ...policy }),
  ...(draft && { staging: true as const }),
  created_at: Math.floor(created / 1000),
  updated_at: Math.floor(modified / 1000),
})

/** With what Cloudflare tells beside the result. */
const flagged = (result: Policy, flags: { committed: boolean } | { uncommitted: true }) =>
  Response.json({ success: true, errors: [], messages: [], result, ...flags })

/** This process follows at once. */
function told({ caller, settings }: Manager, what: string, gateway: string, id: string, committed: boolean): void {
  if (committed) settings.policies.forget(gateway)
  settings.log.info({ gateway, policy: id, committed, by: caller.name }, what)
}
