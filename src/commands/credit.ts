import { dollarText, picoOf } from '../costs/money.ts'
import type { CreditStore } from '../storage/credits.ts'
import type { Output } from './output.ts'
import { printTable, type StoreOptions, withStore } from './with-store.ts'

export interface CreditOptions extends StoreOptions {
  /** Of this token instead of the account. */
  token?: string
}

export interface CreditAddOptions extends CreditOptions {
  /** Shown in the history. */
  note?: string
}

const ACCOUNT = 'account'
const LONGEST_HISTORY = 50

const ownerOf = ({ token }: CreditOptions): string => (token === undefined ? ACCOUNT : `token:${token}`)
const nameOf = (owner: string): string => (owner === ACCOUNT ? 'the account' : owner.replace(/^token:/, 'token '))
const money = (pico: bigint): string => (pico < 0n ? `-$${dollarText(-pico)}` : `$${dollarText(pico)}`)

/**
 * `postern credit add <dollars>`: tops up what the account or a token may use of the house's keys. An amount below zero
 * takes away.
 *
 * @returns the exit code: 0 done, 1 the database cannot be used, 2 no amount, no such token, or a wrong configuration
 */
export async function creditAddCommand(dollars: string, options: CreditAddOptions = {}): Promise<number> {
  return withStore(options, async (store, config, output) => {
    const amount = amountOf(dollars)
    if (amount === undefined) {
      output.err('postern: expected an amount in US dollars, for example 25 or 0.5; -25 takes away')
      return 2
    }
    if (store.place === 'memory') {
      output.err('postern: storage.database is in memory, where credit of this command would be lost at once')
      return 1
    }
    const { token } = options
    if (token !== undefined) {
      const known = [...config.tokens, ...(await store.tokens.list())].some(({ name }) => name === token)
      if (!known) {
        output.err(
          `postern: there is no token named ${JSON.stringify(token.slice(0, 64))}; \`postern token list\` shows them`,
        )
        return 2
      }
    }
    const owner = ownerOf(options)
    const balance = await store.credits.add(owner, amount, options.note ?? '')
    output.err(`The credit of ${nameOf(owner)} is now ${money(balance)}.`)
    warn(config.billing, owner, output)
    return 0
  })
}

/** What is topped up and never used is told. */
function warn({ enabled, balance }: { enabled: boolean; balance: string }, owner: string, output: Output): void {
  if (!enabled) output.err('It has no effect before billing.enabled is true in the configuration.')
  else if ((balance === ACCOUNT) !== (owner === ACCOUNT))
    output.err(`It has no effect while billing.balance is "${balance}" in the configuration.`)
}

function amountOf(text: string): bigint | undefined {
  const [, sign, digits = ''] = /^([+-]?)\$?(\d{1,9}(?:\.\d{1,12})?)$/.exec(text.trim()) ?? []
  if (sign === undefined || !/[1-9]/.test(digits)) return undefined
  const [whole = '0', fraction = ''] = digits.split('.')
  const pico = BigInt(whole) * 1_000_000_000_000n + BigInt(fraction ? picoOf(`0.${fraction}`) : 0)
  return sign === '-' ? -pico : pico
}

/** `postern credit list`: every balance, and how much of it requests under way may still use. */
export async function creditListCommand(options: StoreOptions = {}): Promise<number> {
  return withStore(options, async (store, _config, output) => {
    const rows = [['OWNER', 'BALANCE', 'HELD']]
    for (const { owner, balance, held } of await store.credits.list())
      rows.push([nameOf(owner), money(balance), money(held)])
    printTable(rows, output)
    if (rows.length === 1) output.err('There is no credit yet: `postern credit add <dollars>` makes some.')
    return 0
  })
}

/** `postern credit history`: what was added by hand, and what was used of late. */
export async function creditHistoryCommand(options: CreditOptions = {}): Promise<number> {
  return withStore(options, async (store, _config, output) => {
    const rows = [['WHEN', 'AMOUNT', 'NOTE'], ...(await historyOf(store.credits, ownerOf(options)))]
    printTable(rows, output)
    return 0
  })
}

const DAY_MS = 86_400_000

async function historyOf(credits: CreditStore, owner: string): Promise<string[][]> {
  const now = Date.now()
  const [entries, usage] = await Promise.all([
    credits.entries(owner, LONGEST_HISTORY),
    credits.usage(owner, now - DAY_MS, now),
  ])
  const rows = [
    ...entries.map(({ at, amount, note }) => ({ at, amount, note })),
    ...usage.map(({ hour, amount, requests }) => ({
      at: hour,
      amount: -amount,
      note: `${requests} ${requests === 1 ? 'request' : 'requests'} within the hour`,
    })),
  ]
  return rows
    .sort((one, other) => other.at - one.at)
    .map(({ at, amount, note }) => [new Date(at).toISOString().slice(0, 16).replace('T', ' '), money(amount), note])
}
