import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * The workers that share one port. Which of them gets a request is the system's choice; what only one of them has in its
 * memory it is asked for by the others, on a socket that nobody but their user may open.
 */
export interface Peers {
  /** This worker's place. */
  readonly own: number
  /** Hands a request on, as it is. */
  ask(worker: number, request: Request): Promise<Response>
}

/** @param supervisor the process that all of them belong to */
export function peersOf(supervisor: number, own: number): Peers & { path: string } {
  const folder = join(tmpdir(), `postern-${supervisor}`)
  const at = (worker: number) => join(folder, `${worker}.sock`)
  return {
    own,
    path: at(own),
    async ask(worker, request) {
      const { method, headers, signal } = request
      const answer = await fetch(request.url, { method, headers, signal, unix: at(worker), redirect: 'manual' })
      return new Response(answer.body, { status: answer.status, headers: answer.headers })
    },
  }
}

/** Answers what other workers hand on. @returns what ends it */
export function listenForPeers(path: string, handle: (request: Request) => Response | Promise<Response>): () => void {
  const folder = join(path, '..')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  // One that was there before may have been open to others.
  chmodSync(folder, 0o700)
  rmSync(path, { force: true })
  const server = Bun.serve({ unix: path, development: false, fetch: handle })
  return () => {
    void server.stop(true)
    rmSync(path, { force: true })
  }
}
