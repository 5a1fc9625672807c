import { readdirSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { type Family, family } from './family.ts'

/** Milliseconds between two looks at the event loop: a stall that is shorter may go unseen. */
const RESOLUTION_MS = 50
const NANO = 1e9
const MICRO = 1e6

/**
 * The process itself, under the names that Prometheus' own libraries have for it, and how late its timers were. Those of
 * prom-client are not taken: half of what they say of a Node process is empty on Bun.
 */
export class ProcessMetrics {
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })

  constructor() {
    this.#delay.enable()
  }

  /** The event loop's delay is that since the last call. */
  families(): Family[] {
    const cpu = family('counter', 'process_cpu_seconds_total', 'CPU time of the process, of user and system.')
    const memory = family('gauge', 'process_resident_memory_bytes', 'Memory of the process in RAM.')
    const started = family('gauge', 'process_start_time_seconds', 'When the process began, in seconds since 1970.')
    const files = family('gauge', 'process_open_fds', 'Files and sockets that the process has open.')
    const lag = family('gauge', 'postern_event_loop_lag_seconds', 'How late timers were since the last scrape.')

    const { user, system } = process.cpuUsage()
    cpu.values.push({ labels: {}, value: (user + system) / MICRO })
    memory.values.push({ labels: {}, value: process.memoryUsage.rss() })
    started.values.push({ labels: {}, value: performance.timeOrigin / 1_000 })
    const open = openFiles()
    if (open !== undefined) files.values.push({ labels: {}, value: open })
    for (const [quantile, percentile] of [
      ['0.5', 50],
      ['0.99', 99],
      ['1', 100],
    ] as const)
      lag.values.push({ labels: { quantile }, value: this.#delay.percentile(percentile) / NANO })
    this.#delay.reset()
    return [cpu, memory, started, files, lag]
  }

  close(): void {
    this.#delay.disable()
  }
}

/** Where the system tells (Linux). */
function openFiles(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return undefined
  }
}
