import { afterAll, afterEach, expect, setDefaultTimeout, test } from 'bun:test'
import { standIn } from '../support/stand-in.ts'
import { endAll, eventually, executable, folder, run, start } from './executable.ts'

setDefaultTimeout(60_000)
afterEach(endAll)

const TOKEN = 'a-token-for-this-test'
const KEY = 'sk-a-heron-in-the-reeds-4711'
const provider = standIn(() =>
  Response.json({
    type: 'message',
    content: [{ type: 'text', text: 'In the reeds.' }],
    stop_reason: 'end_turn',
    usage: { input_tokens: 11, output_tokens: 7 },
  }),
)
const here = folder({
  'postern.yaml': `storage: { database: "sqlite:./postern.db" }
tokens: [{ name: laptop, token: ${TOKEN} }]
providers: { anthropic: { base_url: "${provider.address}", keys: { default: ${KEY} } } }
gateways:
  default:
    retry_max_attempts: 2
`,
})
afterAll(() => {
  provider.stop()
  here.remove()
})

test('records are told while the server runs, and behind it', async () => {
  const server = await start([], here.path)
  const chat = async (content: string) => {
    const response = await fetch(`${server.address}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}` },
      body: JSON.stringify({
        model: 'anthropic/claude-sonnet-4-5',
        max_tokens: 9,
        seed: 1,
        messages: [{ role: 'user', content }],
      }),
    })
    await response.text()
    return response.headers.get('cf-aig-log-id')!
  }
  const id = await chat('Where?')
  expect(await eventually(async () => (await run(['explain', id], here.path)).code === 0)).toBe(true)

  const following = Bun.spawn([executable, 'logs', 'tail', '-f'], {
    cwd: here.path,
    stdout: 'pipe',
    stderr: 'pipe',
    env: { PATH: process.env.PATH ?? '' },
  })
  let said = ''
  const gathered = (async () => {
    const decoder = new TextDecoder()
    for await (const bytes of following.stdout) said += decoder.decode(bytes, { stream: true })
  })()
  expect(await eventually(() => said.includes(id))).toBe(true)
  const second = await chat('And when?')
  expect(await eventually(() => said.includes(second))).toBe(true)
  following.kill('SIGINT')
  expect(await following.exited).toBe(0)
  await gathered
  expect(await new Response(following.stderr).text()).toBe('')

  server.signal('SIGTERM')
  expect(await server.exited).toBe(0)
  const told = await run(['explain', id], here.path)
  expect([told.code, told.err]).toEqual([0, ''])
  expect(told.out).toContain('anthropic/claude-sonnet-4-5 answered')
  expect(told.out).toMatch(/retry_max_attempts +2 +← postern\.yaml:6/)
  expect(told.out).toContain('Body: openai-chat → anthropic-messages')
  expect(told.out).toMatch(/- seed +1/)
  expect(told.out).toContain('sum  = $0.000138')
  expect(told.out).not.toContain(KEY)
  expect(JSON.parse((await run(['explain', id, '--json'], here.path)).out)).toMatchObject({
    log_id: id,
    token: 'laptop',
  })
  const exported = await run(['logs', 'export', '--since', '1h'], here.path)
  expect(exported.out.trim().split('\n')).toHaveLength(2)
})

test('a reader that closes the pipe is no fault', async () => {
  for (const words of ['logs export --bodies', 'logs tail']) {
    const shell = Bun.spawn(['bash', '-c', `set -o pipefail; "${executable}" ${words} | head -c 1 > /dev/null`], {
      cwd: here.path,
      stderr: 'pipe',
      env: { PATH: process.env.PATH ?? '' },
    })
    expect([await shell.exited, await new Response(shell.stderr).text()]).toEqual([0, ''])
  }
})
