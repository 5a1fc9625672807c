import { afterAll, beforeAll, expect, test } from 'bun:test'
import { documentedApp } from '../../src/http/documented-app.ts'
import { buildDocument } from '../../src/http/openapi.ts'
import { type RunningApp, startApp } from '../support/app.ts'

/** The app that stands in for the real one where the document is written: nothing may be in one and not in the other. */

let app: RunningApp
beforeAll(async () => {
  app = await startApp()
})
afterAll(() => app.stop())

test('the document of the running app is that of the documented one, and the one in openapi/', async () => {
  const served = await (await fetch(`${app.address}/openapi.json`)).json()
  expect(served).toEqual(await buildDocument(documentedApp()))
  expect(served).toEqual(await Bun.file(`${import.meta.dir}/../../openapi/openapi.json`).json())
})

test('every documented address is there', async () => {
  const { paths } = (await (await fetch(`${app.address}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, unknown>>
  }
  for (const [path, methods] of Object.entries(paths))
    for (const method of Object.keys(methods)) {
      const address = path.replace('{account}', 'home').replace('{gateway}', 'default')
      const response = await fetch(app.address + address, {
        method: method.toUpperCase(),
        ...(method === 'post' && { body: '{}' }),
      })
      expect(`${method} ${path} ${response.status}`).not.toEndWith('404')
      await response.arrayBuffer()
    }
})
