import type { Socket, Subprocess } from 'bun'
import type { Format } from './answers.ts'
import { processTree } from './cpu.ts'
import type { Call } from './wire.ts'

/** The gateways of the configuration that is measured; to nginx they are all the same. */
export type GatewayName = 'default' | 'recorded' | 'cached' | 'controlled'

/** Something that is measured: the gateway, the bare proxy, or the provider itself. */
export interface Subject {
  name: string
  port: number
  /** The root of its process tree. */
  pid: number
  /** Where it writes its request log. */
  log: string
  /** Milliseconds from its start to the first 200 of /healthz. */
  readyAfter: number
  /** The call that makes the provider answer in this format. */
  call(format: Format, stream: boolean, gateway?: GatewayName): Call
  /** The call to the provider's own address, where the gateway has one; the same as {@link call} elsewhere. */
  native?(stream: boolean): Call
  stop(): Promise<void>
}

const system = 'You are a helpful assistant. Answer in one short paragraph, in plain words, without lists.'
const user = 'Describe in a few sentences what the fox did, who was watching, and why the dog did not move at all.'

/** A chat request in OpenAI's format. @param mark stands at the end of the prompt */
export function openaiBody(model: string, stream: boolean, mark = ''): string {
  const messages = [
    { role: 'system', content: system },
    { role: 'user', content: user + mark },
  ]
  return JSON.stringify({ model, messages, temperature: 0.7, max_tokens: 256, ...(stream && { stream: true }) })
}

function anthropicBody(model: string, stream: boolean): string {
  const messages = [{ role: 'user', content: user }]
  return JSON.stringify({ model, max_tokens: 256, system, messages, temperature: 0.7, ...(stream && { stream: true }) })
}

export const jsonHeaders = { 'content-type': 'application/json', accept: '*/*', 'user-agent': 'postern-bench' }

/** The call that reaches the provider with nothing or only a bare proxy between. */
export function plainCall(port: number, format: Format, stream: boolean): Call {
  return format === 'openai'
    ? {
        port,
        path: '/openai/chat/completions',
        headers: { ...jsonHeaders, authorization: 'Bearer sk-bench' },
        body: openaiBody('bench', stream),
      }
    : {
        port,
        path: '/anthropic/v1/messages',
        headers: { ...jsonHeaders, 'x-api-key': 'sk-bench', 'anthropic-version': '2023-06-01' },
        body: anthropicBody('claude-bench', stream),
      }
}

/** A port that is free now. */
export function freePort(): number {
  const probe = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
  const { port } = probe
  probe.stop(true)
  return port
}

const probe = Buffer.from('GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n')

async function healthy(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = {
    open: (it: Socket) => void it.write(probe),
    data: (_: Socket, bytes: Buffer) => resolve(bytes.toString('latin1', 0, 12) === 'HTTP/1.1 200'),
    close: () => resolve(false),
    connectError: () => resolve(false),
  }
  const connected = await Bun.connect({ hostname: '127.0.0.1', port, socket }).catch(() => null)
  if (!connected) return false
  const answered = await Promise.race([promise, Bun.sleep(1000).then(() => false)])
  connected.terminate()
  return answered
}

/** Waits for the first 200 of /healthz. Throws when the process ends first or 15 s have passed. */
export async function untilHealthy(child: Subprocess, port: number, name: string, log: string): Promise<void> {
  const deadline = performance.now() + 15_000
  while (!(await healthy(port))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      const said = (await Bun.file(log).text()).slice(-2000)
      throw new Error(
        `${name} ${child.exitCode === null ? 'was not ready in 15 s' : `ended with ${child.exitCode}`}:\n${said}`,
      )
    }
    await Bun.sleep(1)
  }
}

const running = new Set<Subprocess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGTERM')
})

/** Ends a process that `keep` was told of, with all that it started: gently, and after 5 s by force. */
export async function end(child: Subprocess): Promise<void> {
  const tree = processTree(child.pid)
  child.kill('SIGTERM')
  const gone = await Promise.race([child.exited.then(() => true), Bun.sleep(5000).then(() => false)])
  if (!gone) {
    for (const pid of tree) kill(pid)
    await child.exited
  }
  running.delete(child)
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

/** Sees to it that the process ends with the benchmark, however that ends. */
export function keep<Child extends Subprocess>(child: Child): Child {
  running.add(child)
  return child
}
