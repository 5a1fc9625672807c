import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { endAll, ended, eventually, executable, folder, processesIn, type Running, start } from './executable.ts'

afterEach(endAll)
// Processes start and stop here, and the machine may be busy.
setDefaultTimeout(30_000)

/** A stream of the demo that goes on for a quarter of a minute or more. */
async function openStream(server: Running, model: string): Promise<{ text(): string; done: Promise<boolean> }> {
  const token = (await server.until(/pst_[0-9A-Za-z]{32}/))[0]
  const answer = await fetch(`${server.address}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, stream: true, messages: [{ role: 'user', content: 'Tell me.' }] }),
  })
  expect(answer.status).toBe(200)
  let text = ''
  const read = async () => {
    const decoder = new TextDecoder()
    try {
      for await (const bytes of answer.body as ReadableStream<Uint8Array>)
        text += decoder.decode(bytes, { stream: true })
      return true
    } catch {
      return false
    }
  }
  const done = read()
  expect(await eventually(() => text.split('data:').length > 3)).toBe(true)
  return { text: () => text, done }
}

describe('stopping the executable', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s lets a stream in flight finish, takes nothing new, exits 0',
    async name => {
      const here = folder()
      const server = await start(['demo'], here.path)
      const stream = await openStream(server, 'demo/story')
      server.signal(name)
      await server.until(/answers in flight/)
      expect(await fetch(`${server.address}/healthz`, { keepalive: false }).catch(() => 'refused')).toBe('refused')
      expect(await server.exited).toBe(0)
      expect(await stream.done).toBe(true)
      expect(stream.text()).toContain('[DONE]')
      here.remove()
    },
  )

  test('a stream that outlasts server.drain is cut, and said so', async () => {
    const here = folder({ 'postern.yaml': 'server: { drain: 1 }\nstorage: { database: "sqlite::memory:" }\n' })
    const server = await start(['demo'], here.path)
    const stream = await openStream(server, 'demo/slow')
    const begun = performance.now()
    server.signal('SIGTERM')
    expect(await server.exited).toBe(0)
    expect(performance.now() - begun).toBeLessThan(4_000)
    await stream.done
    expect(stream.text()).not.toContain('[DONE]')
    expect(server.said()).toContain('answers cut after server.drain')
    here.remove()
  })

  test('a second signal ends at once', async () => {
    const here = folder()
    const server = await start(['demo'], here.path)
    const stream = await openStream(server, 'demo/slow')
    const workers = server.workers()
    server.signal('SIGTERM')
    await Bun.sleep(500)
    const begun = performance.now()
    server.signal('SIGTERM')
    expect(await server.exited).toBe(1)
    expect(performance.now() - begun).toBeLessThan(1_000)
    for (const pid of workers) expect(await ended(pid)).toBe(true)
    await stream.done
    here.remove()
  })

  test('the echo of a signal, sent to the process and to its group, is one signal', async () => {
    const here = folder()
    const server = await start(['demo'], here.path)
    const stream = await openStream(server, 'demo/story')
    server.signal('SIGTERM')
    server.signal('SIGTERM')
    for (const pid of server.workers()) process.kill(pid, 'SIGTERM')
    expect(await server.exited).toBe(0)
    await stream.done
    expect(stream.text()).toContain('[DONE]')
    here.remove()
  })

  test('workers end when their supervisor is killed', async () => {
    const here = folder({ 'postern.yaml': 'server: { workers: 2 }\n' })
    const server = await start([], here.path)
    expect(await eventually(() => server.workers().length === 2)).toBe(true)
    const workers = server.workers()
    server.signal('SIGKILL')
    for (const pid of workers) expect(await ended(pid)).toBe(true)
    here.remove()
  })

  test('a reader of the log that goes away does not end it', async () => {
    const here = folder()
    // A port that was free a moment ago: its number has to be known, since nobody reads what the executable prints.
    const probe = Bun.serve({ port: 0, fetch: () => new Response() })
    const port = probe.port
    await probe.stop(true)
    // `head` leaves after the first line; every line after it meets a closed pipe.
    const command = `"${executable}" demo --port ${port} 2>/dev/null | head -n 1 >/dev/null &`
    Bun.spawnSync(['sh', '-c', command], { cwd: here.path, stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' })
    try {
      const healthy = async () =>
        (await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined))?.status === 200
      expect(await eventually(healthy)).toBe(true)
      const ask = () => fetch(`http://127.0.0.1:${port}/v1/models`, { keepalive: false })
      for (let n = 0; n < 5; n++) {
        await ask()
        await Bun.sleep(60)
      }
      expect((await ask()).status).toBe(401)
      expect(processesIn(here.path)).toHaveLength(2)
    } finally {
      for (const pid of processesIn(here.path)) process.kill(pid, 'SIGKILL')
      here.remove()
    }
  })
})
