import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** TLS needs certificates: openssl makes them here, and a process of its own trusts them. */

const openssl = Bun.which('openssl')
const folder = mkdtempSync(join(tmpdir(), 'postern-tls-'))
const servers: { stop(force: boolean): unknown }[] = []
afterAll(() => {
  for (const server of servers) server.stop(true)
  rmSync(folder, { recursive: true, force: true })
})

async function run(...args: string[]): Promise<void> {
  const made = Bun.spawn([openssl!, ...args], { cwd: folder, stdout: 'ignore', stderr: 'pipe' })
  if (await made.exited) throw new Error(await made.stderr.text())
}
const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

async function certificate(name: string, subject: string, days = 2): Promise<void> {
  await Bun.write(join(folder, `${name}.ext`), `subjectAltName=${subject}`)
  await run('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
  const signed = [
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-days',
    String(days),
    '-extfile',
    `${name}.ext`,
  ]
  await run('x509', '-req', '-in', `${name}.csr`, ...signed, '-out', `${name}.pem`)
}

async function serve(name: string): Promise<string> {
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    tls: { key: Bun.file(join(folder, `${name}.key`)), cert: Bun.file(join(folder, `${name}.pem`)) },
    fetch: async request => new Response(`${await request.text()} ${'x'.repeat(200_000)}`),
  })
  servers.push(server)
  return `https://localhost:${server.port}/`
}

/** What a process that trusts our authority, or does not, gets from these addresses, twice each. */
async function asked(urls: string[], trusting: boolean): Promise<string[]> {
  const script = `
    import { request } from ${JSON.stringify(join(import.meta.dir, '../../../src/gateway/transport/request.ts'))}
    const said = []
    for (const url of ${JSON.stringify(urls)}) for (let at = 0; at < 2; at++)
      try {
        const answer = await request({ url, method: 'POST', headers: {}, body: 'hello' }, new AbortController().signal)
        const text = Buffer.from(await answer.bytes()).toString()
        said.push(answer.status + ' ' + text.slice(0, 6) + text.length)
      } catch (fault) { said.push(fault.code) }
    console.log(JSON.stringify(said))
    process.exit()`
  const env = { PATH: process.env.PATH ?? '', ...(trusting && { NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem') }) }
  const child = Bun.spawn([process.execPath, '-e', script], { env, cwd: folder, stdout: 'pipe', stderr: 'inherit' })
  return JSON.parse(await child.stdout.text()) as string[]
}

beforeAll(async () => {
  if (!openssl) return
  await run(
    'req',
    '-x509',
    ...key,
    '-days',
    '2',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-subj',
    '/CN=A test authority',
  )
  await certificate('good', 'DNS:localhost,IP:127.0.0.1')
  await certificate('other', 'DNS:other.example')
  await certificate('old', 'DNS:localhost', -1)
})

test.skipIf(!openssl)('certificate and name are verified, as fetch does', async () => {
  const [good, other, old] = [await serve('good'), await serve('other'), await serve('old')]
  const served = '200 hello 200006'
  expect(await asked([good, good.replace('localhost', '127.0.0.1'), other, old], true)).toEqual([
    ...[served, served],
    ...[served, served],
    ...['ERR_TLS_CERT_ALTNAME_INVALID', 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ...['CERT_HAS_EXPIRED', 'CERT_HAS_EXPIRED'],
  ])
  expect(await asked([good], false)).toEqual(['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'])
})
