import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ask, readAll, until } from './support.ts'

/** A server that many providers stand behind. */

const nginx = Bun.which('nginx', { PATH: `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin` })
const folder = mkdtempSync(join(tmpdir(), 'postern-nginx-'))
const large = 'A heron stands in the reeds. '.repeat(100_000)
let port = 0
let child: Bun.Subprocess | undefined

beforeAll(async () => {
  if (!nginx) return
  const probe = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
  port = probe.port
  probe.stop(true)
  mkdirSync(join(folder, 'files'))
  writeFileSync(join(folder, 'files/large.txt'), large)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; worker_processes 1; ${process.getuid?.() === 0 ? 'user root;' : ''}
pid ${folder}/nginx.pid; error_log ${folder}/error.log; events { worker_connections 64; }
http {
  access_log off; default_type text/plain; keepalive_requests 3;
  ${temporary.map(name => `${name}_temp_path ${folder}/${name};`).join(' ')}
  server {
    listen 127.0.0.1:${port};
    location / { root ${folder}/files; }
    location /teapot { return 418 "short and stout"; }
    location /gzip { alias ${folder}/files/large.txt; gzip on; gzip_types text/plain; gzip_http_version 1.0; gzip_proxied any; }
  }
}`,
  )
  child = Bun.spawn([nginx, '-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')], {
    stdout: 'ignore',
    stderr: 'ignore',
  })
  let up = false
  const knock = () =>
    Bun.connect({ hostname: '127.0.0.1', port, socket: { data() {}, open: socket => void socket.end() } }).then(
      () => {
        up = true
      },
      () => {},
    )
  await until(() => {
    void knock()
    return up
  }, 5_000)
})
afterAll(async () => {
  child?.kill()
  await child?.exited
  rmSync(folder, { recursive: true, force: true })
})

test.skipIf(!nginx)('files, statuses, compression, and connections that it closes after three requests', async () => {
  const address = `http://127.0.0.1:${port}`
  for (let at = 0; at < 8; at++) {
    const teapot = await ask(`${address}/teapot`)
    expect([teapot.status, await readAll(teapot.body)]).toEqual([418, 'short and stout'])
    const file = await ask(`${address}/large.txt`)
    expect(file.headers.get('content-length')).toBe(String(large.length))
    expect((await readAll(file.body)) === large).toBeTrue()
  }
  // Nobody asked for compression, so there is none; and where there is, it is undone.
  expect((await readAll((await ask(`${address}/gzip`)).body)) === large).toBeTrue()
  const zipped = await ask(`${address}/gzip`, { headers: { 'accept-encoding': 'gzip' } })
  expect(zipped.headers.get('content-encoding')).toBeNull()
  expect((await readAll(zipped.body)) === large).toBeTrue()
  expect((await ask(`${address}/missing`)).status).toBe(404)
})
