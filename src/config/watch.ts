import { type FSWatcher, statSync, watch } from 'node:fs'
import { dirname } from 'node:path'

export interface WatchOptions {
  /** Milliseconds of quiet after an edit before it is told of. */
  quiet?: number
  /** Milliseconds between looks at the file, for places where the system tells of nothing. */
  interval?: number
}

/** What changes when a file is written, or when another takes its name; undefined while there is none. */
function stamp(path: string): string | undefined {
  try {
    const { ino, size, mtimeMs } = statSync(path)
    return `${ino}:${size}:${mtimeMs}`
  } catch {
    return undefined
  }
}

/**
 * Calls `onChange` after the file has changed. Editors write a new file and rename it, and Kubernetes turns a link of
 * a folder above, so the folder is watched and the file is compared; where the system tells of neither (a single file
 * mounted into a container, a network folder) a look every two seconds finds it. A file that is gone is no change until
 * it is there again. The caller calls `loadConfig` and keeps what it has on a ConfigError. Files named by `${file:…}`
 * are not watched: SIGHUP reads them again. Keeps no process alive.
 *
 * @returns a function that ends the watch
 */
export function watchConfig(path: string, onChange: () => void, options: WatchOptions = {}): () => void {
  const { quiet = 100, interval = 2_000 } = options
  let known = stamp(path)
  let timer: ReturnType<typeof setTimeout> | undefined
  let watcher: FSWatcher | undefined

  const settle = () => {
    timer = undefined
    const now = stamp(path)
    if (now === undefined || now === known) return
    known = now
    onChange()
  }
  const look = () => {
    const now = stamp(path)
    if (now === undefined || now === known) return
    clearTimeout(timer)
    timer = setTimeout(settle, quiet)
    timer.unref()
  }
  try {
    watcher = watch(dirname(path), { persistent: false }, look)
    // The folder may be removed under the watch; the looks go on.
    watcher.on('error', () => watcher?.close())
  } catch {
    // No watch to be had here: the looks alone do it.
  }
  const looks = setInterval(() => {
    if (timer === undefined) look()
  }, interval)
  looks.unref()
  return () => {
    watcher?.close()
    clearInterval(looks)
    clearTimeout(timer)
  }
}
