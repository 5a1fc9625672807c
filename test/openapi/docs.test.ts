import { afterAll, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { docsRoutes } from '../../src/http/docs.ts'
import { documentedApp } from '../../src/http/documented-app.ts'

const app = documentedApp().use(docsRoutes()).listen({ port: 0, hostname: '127.0.0.1' })
const base = app.server!.url.origin
afterAll(() => app.stop(true))

test('the page and its files have their content types and name no other host', async () => {
  const types = {
    '/docs': 'text/html; charset=utf-8',
    '/docs/start.js': 'text/javascript; charset=utf-8',
    '/docs/swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
    '/docs/swagger-ui.css': 'text/css; charset=utf-8',
  }
  for (const [path, type] of Object.entries(types)) {
    const response = await fetch(base + path)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe(type)
    if (path === '/docs' || path === '/docs/start.js') expect(await response.text()).not.toMatch(/https?:/)
  }
  const policy = (await fetch(`${base}/docs`)).headers.get('content-security-policy')
  expect(policy).toContain("default-src 'none'")
  expect(policy).not.toMatch(/http|\*|unsafe-eval/)
})

test('with a slash behind it, the page is found too', async () => {
  const response = await fetch(`${base}/docs/`)
  expect(response.url).toBe(`${base}/docs`)
})

const chromium =
  process.env.CHROMIUM ?? Bun.which('chromium') ?? Bun.which('chromium-browser') ?? Bun.which('google-chrome')

interface NetLog {
  constants: { logEventTypes: Record<string, number> }
  events: { type: number; params?: { url?: string; initiator?: string } }[]
}

if (!chromium) {
  test.skip('the page in a browser: no Chromium here; set CHROMIUM to one', () => {})
} else {
  test('a browser shows the operations and asks no other host for anything', async () => {
    const folder = await mkdtemp(`${tmpdir()}/postern-docs-`)
    try {
      const child = Bun.spawn(
        [
          chromium,
          '--headless',
          '--no-sandbox',
          '--disable-gpu',
          '--disable-background-networking',
          '--no-first-run',
          // The browser's own habits are not the page's: nothing of them leaves the machine either.
          '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
          `--user-data-dir=${folder}/profile`,
          `--log-net-log=${folder}/net.json`,
          '--virtual-time-budget=10000',
          '--dump-dom',
          `${base}/docs`,
        ],
        { stdout: 'pipe', stderr: 'ignore' },
      )
      const page = await new Response(child.stdout).text()
      await child.exited
      for (const path of [
        '/v1/chat/completions',
        '/v1/models',
        '/v1/{account}/{gateway}',
        '/v1/{account}/{gateway}/{provider}/{path}',
        '/client/v4/accounts/{account}/ai/run/{model}',
        '/healthz',
        '/openapi.json',
      ])
        expect(page).toContain(`data-path="${path}"`)
      const log = (await Bun.file(`${folder}/net.json`).json()) as NetLog
      const started = log.constants.logEventTypes.URL_REQUEST_START_JOB
      const asked = log.events.filter(event => event.type === started && event.params?.initiator === base)
      expect(asked.length).toBeGreaterThanOrEqual(4)
      for (const { params } of asked) expect(new URL(params!.url!).origin).toBe(base)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }, 60_000)
}
