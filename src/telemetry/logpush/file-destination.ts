import { mkdir, open, rename, stat } from 'node:fs/promises'
import { dirname, extname } from 'node:path'
import { reasonOf } from '../delivery/post.ts'
import type { Destination } from './destination.ts'
import type { LogpushTarget } from './settings.ts'

const LINE_BREAK = 0x0a
const ROTATE_BYTES = 104_857_600
const ROTATE_S = 86_400

/**
 * Appends batches to a file, each by one write, so that several processes may share it. A file that has become large or
 * old is renamed to `<name>-<time>_<id>.<ending>` first.
 */
export function fileDestination({ url, rotate_bytes, rotate_every }: LogpushTarget): Destination {
  // The folders of a relative path begin where the process runs, as those of a database do.
  const path = url.startsWith('file://') ? Bun.fileURLToPath(url) : url.slice('file:'.length)
  const most = rotate_bytes ?? ROTATE_BYTES
  const oldest = (rotate_every ?? ROTATE_S) * 1_000
  let known = false
  return async ({ id }, body) => {
    try {
      if (!known) await mkdir(dirname(path), { recursive: true })
      known = true
      await rotate(path, most, oldest, id)
      await append(path, body)
      return undefined
    } catch (error) {
      known = false
      return { reason: reasonOf(error) }
    }
  }
}

async function rotate(path: string, most: number, oldest: number, id: string): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (!found?.size || (found.size < most && Date.now() - (found.birthtimeMs || found.mtimeMs) < oldest)) return
  const ending = extname(path)
  const time = new Date().toISOString().slice(0, 19).replace(/[-:]/g, '')
  await rename(path, `${path.slice(0, path.length - ending.length)}-${time}Z_${id}${ending}`)
}

async function append(path: string, body: Uint8Array): Promise<void> {
  const file = await open(path, 'a+', 0o600)
  try {
    const { size } = await file.stat()
    // What an earlier write left unfinished (a full disk) stays a line of its own.
    const isTorn = size > 0 && (await file.read(Buffer.alloc(1), 0, 1, size - 1)).buffer[0] !== LINE_BREAK
    const bytes = isTorn ? Buffer.concat([Buffer.from('\n'), body]) : body
    const { bytesWritten } = await file.write(bytes)
    if (bytesWritten < bytes.length) throw Object.assign(new Error('short write'), { code: 'ENOSPC' })
  } finally {
    await file.close()
  }
}
