import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Sockets behind TLS: openssl makes a certificate here, and a process of its own trusts it. */

const openssl = Bun.which('openssl')
const folder = mkdtempSync(join(tmpdir(), 'postern-wss-'))
const PIECE = Buffer.alloc(256 * 1024)
const FLOOD = 128 * 1024 * 1024
let server: ReturnType<typeof Bun.serve> | undefined
/** Bytes that the server could get rid of. */
let flooded = 0

beforeAll(async () => {
  if (!openssl) return
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'key.pem']
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '2']
  const words = [openssl, 'req', '-x509', ...key, '-out', 'cert.pem', ...subject]
  const made = Bun.spawn(words, { cwd: folder, stdout: 'ignore', stderr: 'pipe' })
  if (await made.exited) throw new Error(await made.stderr.text())
  server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    tls: { key: Bun.file(join(folder, 'key.pem')), cert: Bun.file(join(folder, 'cert.pem')) },
    fetch: (request, server) => (server.upgrade(request, { data: undefined }) ? undefined : new Response('no')),
    websocket: {
      message(socket, text) {
        if (text !== 'flood') {
          socket.send(text)
          return
        }
        const pour = () => {
          while (flooded < FLOOD && !socket.getBufferedAmount()) {
            flooded += PIECE.length
            socket.send(PIECE)
          }
          if (flooded < FLOOD) setTimeout(pour, 1)
        }
        pour()
      },
    },
  })
})
afterAll(async () => {
  await server?.stop(true)
  rmSync(folder, { recursive: true, force: true })
})

/** Runs a script in which `dialled` is a promise of the server's socket. */
async function run(script: string, trusting: boolean): Promise<string> {
  const module = join(import.meta.dir, '../../../src/gateway/transport/websocket.ts')
  const opening = `
    import { dial } from ${JSON.stringify(module)}
    const url = 'https://localhost:${server!.port}/'
    const dialled = dial({ url, method: 'GET', headers: {} }, new AbortController().signal)
    ${script}
    process.exit()`
  const env = { PATH: process.env.PATH ?? '', ...(trusting && { NODE_EXTRA_CA_CERTS: join(folder, 'cert.pem') }) }
  const child = Bun.spawn([process.execPath, '-e', opening], { env, cwd: folder, stdout: 'pipe', stderr: 'inherit' })
  return (await child.stdout.text()).trim()
}

test.skipIf(!openssl)('a socket opens behind a certificate that is trusted, and only then', async () => {
  const echo = `
    const { socket } = await dialled
    const said = Promise.withResolvers()
    socket.begin({ message: said.resolve, ping() {}, ended() {} })
    socket.send('x'.repeat(1_000_000))
    console.log((await said.promise).length)`
  expect(await run(echo, true)).toBe('1000000')
  expect(await run('console.log(await dialled.catch(fault => fault.code))', false)).toMatch(/CERT|SELF_SIGNED|VERIFY/)
})

test.skipIf(!openssl)('a server behind TLS waits for whoever does not read', async () => {
  const sip = `
    const { socket } = await dialled
    let received = 0
    socket.begin({ message(bytes) { received += bytes.length; if (received < ${FLOOD} / 2) socket.pause() }, ping() {}, ended() {} })
    socket.send('flood')
    while (!received) await Bun.sleep(5)
    await Bun.sleep(500)
    const first = received
    while (received < ${FLOOD}) { socket.resume(); await Bun.sleep(1) }
    console.log(first < ${FLOOD} / 4, received)`
  expect(await run(sip, true)).toBe(`true ${FLOOD}`)
})
