import { createServer } from 'node:net'

export interface RedisServer {
  url: string
  /** Ends it at once, as a machine that loses its power. */
  kill(): Promise<void>
  /** Starts it anew, empty, at the same place. */
  restart(): Promise<void>
  /** Lets it neither answer nor refuse. */
  freeze(): void
  thaw(): void
  command(...words: string[]): Promise<unknown>
}

/** A real redis-server on a free port, which keeps nothing. */
export async function redisServer(): Promise<RedisServer> {
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}`
  let server = await started(port)
  return {
    url,
    async kill() {
      server.kill('SIGKILL')
      await server.exited
    },
    async restart() {
      server = await started(port)
    },
    freeze: () => server.kill('SIGSTOP'),
    thaw: () => server.kill('SIGCONT'),
    async command(name, ...rest) {
      const client = new Bun.RedisClient(url, { autoReconnect: false })
      try {
        return await client.send(name!, rest)
      } finally {
        client.close()
      }
    },
  }
}

async function started(port: number) {
  const words = ['redis-server', '--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const server = Bun.spawn(words, { stdout: 'ignore', stderr: 'ignore' })
  for (const deadline = Date.now() + 10_000; ; await Bun.sleep(20)) {
    const client = new Bun.RedisClient(`redis://127.0.0.1:${port}`, { autoReconnect: false })
    try {
      await client.connect()
      return server
    } catch (fault) {
      if (Date.now() > deadline) throw fault
    } finally {
      client.close()
    }
  }
}

function freePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const server = createServer()
  server.on('error', reject)
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
  })
  return promise
}
