import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { rawUpstream, whole } from '../../support/raw-upstream.ts'

/** Proxies are named by the environment of a process, so it is one of its own that asks. */

async function asked(urls: string[], env: Record<string, string>): Promise<string[]> {
  const script = `
    import { request } from ${JSON.stringify(join(import.meta.dir, '../../../src/gateway/transport/request.ts'))}
    const said = []
    for (const url of ${JSON.stringify(urls)}) {
      const answer = await request({ url, method: 'POST', headers: {}, body: 'hello' }, new AbortController().signal)
      said.push(Buffer.from(await answer.bytes()).toString())
    }
    console.log(JSON.stringify(said))
    process.exit()`
  const child = Bun.spawn([process.execPath, '-e', script], {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdout: 'pipe',
    stderr: 'inherit',
  })
  return JSON.parse(await child.stdout.text()) as string[]
}

test('HTTP_PROXY is used, but for what NO_PROXY names', async () => {
  const proxy = rawUpstream(connection => connection.write(whole('200 OK', '"through the proxy"')))
  const direct = rawUpstream(connection => connection.write(whole('200 OK', '"directly"')))
  const urls = ['http://provider.invalid/v1', `${direct.address}/v1`]
  const env = { HTTP_PROXY: proxy.address, NO_PROXY: '127.0.0.1' }
  expect(await asked(urls, env)).toEqual(['"through the proxy"', '"directly"'])
  expect(proxy.requests[0]).toStartWith('POST http://provider.invalid/v1 HTTP/1.1')
  proxy.stop()
  direct.stop()
})

test('credentials in an address are sent as such', async () => {
  const direct = rawUpstream(connection => connection.write(whole('200 OK', '{}')))
  await asked([direct.address.replace('//', '//me:secret@')], {})
  expect(direct.requests[0]).toContain(`Basic ${btoa('me:secret')}`)
  direct.stop()
})
