import type { Pool } from './pool.ts'

/** Where a URL leads, worked out once. */
export interface Address {
  secure: boolean
  /** A name, or an IP address without brackets. */
  hostname: string
  port: number
  /** The rest of the request line after the method, and the Host line. */
  requestLine: string
  /** The same without the Host line, for a request that brings its own. */
  bareRequestLine: string
  /** The connections of this scheme, host and port. */
  pool: Pool
  /** What is not done here and left to `fetch`: proxies, and credentials in the address. */
  elsewhere: boolean
}

/** Addresses are few, one for each endpoint and model; more are no memory to keep. */
const MOST_KEPT = 2_000
const addresses = new Map<string, Address>()
const pools = new Map<string, Pool>()

/** @throws TypeError for what is no address of the web */
export function addressOf(url: string): Address {
  const known = addresses.get(url)
  if (known) return known
  const address = read(url)
  if (addresses.size >= MOST_KEPT) addresses.clear()
  addresses.set(url, address)
  return address
}

function read(text: string): Address {
  const url = new URL(text)
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new TypeError(`no address of the web: ${url.protocol}`)
  const secure = url.protocol === 'https:'
  let pool = pools.get(url.origin)
  if (!pool) {
    pool = { idle: [] }
    pools.set(url.origin, pool)
  }
  const bareRequestLine = ` ${url.pathname}${url.search} HTTP/1.1\r\n`
  return {
    secure,
    hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(url.port) || (secure ? 443 : 80),
    requestLine: `${bareRequestLine}host: ${url.host}\r\n`,
    bareRequestLine,
    pool,
    elsewhere: url.username !== '' || url.password !== '' || proxied(secure),
  }
}

/** Whether the environment names a proxy; `fetch` then also sees to NO_PROXY. */
function proxied(secure: boolean): boolean {
  const { env } = process
  return Boolean(secure ? env.HTTPS_PROXY || env.https_proxy : env.HTTP_PROXY || env.http_proxy)
}
