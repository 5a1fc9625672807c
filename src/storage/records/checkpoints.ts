import type { Database } from '../database.ts'

/** Brings what SQLite has written to its log into the file, from a thread of its own. */
export interface Checkpoints {
  /** Rows were written. */
  after(rows: number): void
  close(): Promise<void>
}

/** Pages of the log after which the writer itself brings them over, as SQLite does by itself. */
const USUAL_PAGES = 1_000
/** The same while the thread is there to do it: 80 MB, should it fail. */
const LATE_PAGES = 20_000
/** Whoever writes less than this needs no thread, which takes some ten megabytes. */
const ROWS = 2_000
/** A checkpoint that is under way is waited for so long. */
const LAST_WORDS_MS = 2_000

/**
 * What the thread runs. It is text so that it is part of the executable. A checkpoint waits for nobody, so that nobody
 * waits for it; only when the log has become long it asks for the writer's place for a moment, so that the log begins anew.
 */
const THREAD = `
import { Database } from 'bun:sqlite'
let database
self.onmessage = ({ data: path }) => {
  if (path === null) {
    database.close()
    postMessage(null)
    return
  }
  database = new Database(path, { readwrite: true })
  database.run('PRAGMA busy_timeout = 50')
  let long = false
  const work = () => {
    try {
      const { log } = database.query('PRAGMA wal_checkpoint(' + (long ? 'RESTART' : 'PASSIVE') + ')').get()
      long = log > ${USUAL_PAGES * 4}
    } catch {}
    setTimeout(work, 500)
  }
  work()
}
`

/**
 * A checkpoint waits until the disk has everything, for tens of milliseconds, and where it is made by whoever writes,
 * every request waits with it. PostgreSQL has processes of its own for that, and a database in memory has no log.
 */
export async function checkpoints(database: Database, onFailure: (fault: unknown) => void): Promise<Checkpoints> {
  const path = database.kind === 'sqlite' ? await pathOf(database) : undefined
  let written = 0
  let thread: Worker | undefined
  let given = false
  const pages = (count: number) => database.run(`PRAGMA wal_autocheckpoint = ${count}`).catch(onFailure)
  const start = (path: string) => {
    const script = URL.createObjectURL(new Blob([THREAD], { type: 'application/javascript' }))
    thread = new Worker(script)
    thread.unref()
    thread.onerror = ({ message }) => {
      thread = undefined
      void pages(USUAL_PAGES)
      onFailure(new Error(`the thread that makes checkpoints failed: ${message}`))
    }
    thread.postMessage(path)
    void pages(LATE_PAGES)
  }
  return {
    after(rows) {
      written += rows
      if (given || path === undefined || written < ROWS) return
      given = true
      start(path)
    },
    // It has to close its connection itself: what locks it had would stay with this process.
    async close() {
      given = true
      const ending = thread
      if (!ending) return
      thread = undefined
      const { promise: over, resolve } = Promise.withResolvers<void>()
      ending.onmessage = () => resolve()
      ending.postMessage(null)
      await Promise.race([over, Bun.sleep(LAST_WORDS_MS)])
      ending.terminate()
    },
  }
}

async function pathOf(database: Database): Promise<string | undefined> {
  const [main] = await database.all<{ file: string }>('PRAGMA database_list')
  return main?.file || undefined
}
