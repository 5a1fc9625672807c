import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { endAll, eventually, folder, start } from './executable.ts'

afterEach(endAll)
// Processes start and stop here, and the machine may be busy.
setDefaultTimeout(30_000)

const answers = async (address: string): Promise<boolean> => {
  const answer = await fetch(`${address}/healthz`, { keepalive: false }).catch(() => undefined)
  return answer?.status === 200
}

describe('the workers of the executable', () => {
  test('one that is killed is replaced, on the same port', async () => {
    const here = folder()
    const server = await start([], here.path)
    const [before = 0] = server.workers()
    process.kill(before, 'SIGKILL')
    expect(await eventually(() => answers(server.address))).toBe(true)
    const [after = 0] = server.workers()
    expect(after).not.toBe(before)
    expect(server.said()).toContain('worker 0 ended (SIGKILL); starting it again in 100 ms')
    here.remove()
  })

  test('there are as many as server.workers says, and the death of one leaves the others serving', async () => {
    const here = folder({ 'postern.yaml': 'server: { workers: 3 }\n' })
    const server = await start([], here.path)
    await server.until(/"worker":1/)
    await server.until(/"worker":2/)
    const [first = 0, second] = server.workers()
    process.kill(first, 'SIGKILL')
    expect(await eventually(() => answers(server.address))).toBe(true)
    expect(await eventually(() => server.workers().length === 3 && !server.workers().includes(first))).toBe(true)
    expect(server.workers()).toContain(second ?? 0)
    server.signal('SIGTERM')
    expect(await server.exited).toBe(0)
    here.remove()
  })
})
