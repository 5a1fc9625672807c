import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { endAll, folder, start } from './executable.ts'

afterEach(endAll)
// Processes start and stop here, and the machine may be busy.
setDefaultTimeout(30_000)

describe('postern demo', () => {
  test('the lines that it prints work as they stand, and nothing is left on the disk', async () => {
    const here = folder()
    const server = await start(['demo'], here.path)
    await server.until(/as a stream:[\s\S]*hello\."}]}'/)
    const lines = server.said().match(/curl (?:[^\\\n]|\\\n)+/g) ?? []
    expect(lines).toHaveLength(2)
    const [whole, stream] = lines.map(line => Bun.spawnSync(['sh', '-c', `${line} -sS --fail-with-body`]))
    expect(JSON.parse(whole?.stdout.toString() ?? '').choices[0].message.content).toContain('fortress')
    expect(stream?.stdout.toString()).toContain('data: [DONE]')
    expect(stream?.stdout.toString().split('data: ').length).toBeGreaterThan(50)
    expect(existsSync(join(here.path, 'postern.db'))).toBe(false)
    here.remove()
  })
})
