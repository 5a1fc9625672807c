import { connect, createServer } from 'node:net'

export interface Relay {
  address: string
  /** Every byte that the server said through it, one character for each byte. */
  heard(): string
  stop(): void
}

/** Stands between clients and a server on this machine and keeps what the server says; bytes go through as they come. */
export async function relay(port: number): Promise<Relay> {
  let heard = ''
  const server = createServer(client => {
    const upstream = connect(port, '127.0.0.1')
    upstream.on('data', (bytes: Buffer) => {
      heard += bytes.toString('latin1')
    })
    client.pipe(upstream).pipe(client)
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => other.destroy())
      one.on('close', () => other.destroy())
    }
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port: own } = server.address() as { port: number }
  return { address: `http://127.0.0.1:${own}`, heard: () => heard, stop: () => void server.close() }
}
