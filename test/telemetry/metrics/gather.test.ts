import { describe, expect, test } from 'bun:test'
import { type Family, family } from '../../../src/telemetry/metrics/family.ts'
import {
  type Asked,
  type MetricsFromWorker,
  MetricsGatherer,
  type MetricsToWorker,
  metricsRelay,
} from '../../../src/telemetry/metrics/gather.ts'

const counted = (worker: string, value: number): Family[] => {
  const one = family('counter', 'postern_requests_total', 'x')
  one.values.push({ labels: { worker }, value })
  return [one]
}
const totalOf = (all: Family[][], name: string) =>
  all
    .flat()
    .filter(one => one.name === name)
    .flatMap(({ values }) => values)
    .reduce((sum, { value }) => sum + value, 0)

/** Workers on a line that carries JSON, as between processes. */
function cluster(count: number, silent: ReadonlySet<number> = new Set()) {
  const workers: (Asked & { gatherer: MetricsGatherer })[] = []
  const relay = metricsRelay(() => workers)
  for (let index = 0; index < count; index++) {
    const worker = {
      send(message: MetricsToWorker) {
        const text = JSON.stringify(message)
        if (!silent.has(index)) setTimeout(() => worker.gatherer.heard(JSON.parse(text) as MetricsToWorker), 1)
      },
      gatherer: new MetricsGatherer(
        message => {
          const text = JSON.stringify(message)
          setTimeout(() => relay(JSON.parse(text) as MetricsFromWorker, worker), 1)
        },
        () => counted(String(index), index + 1),
      ),
    }
    workers.push(worker)
  }
  return workers
}

describe('a scrape of several workers', () => {
  test('sees all of them, whichever is asked', async () => {
    const workers = cluster(3)
    for (const { gatherer } of workers) {
      const all = await gatherer.all()
      expect(totalOf(all, 'postern_requests_total')).toBe(6)
      expect(totalOf(all, 'postern_workers')).toBe(3)
      expect(totalOf(all, 'postern_scraped_workers')).toBe(3)
    }
  })

  test('keeps scrapes that go on at the same time apart', async () => {
    const workers = cluster(2)
    const all = await Promise.all(workers.flatMap(({ gatherer }) => [gatherer.all(), gatherer.all()]))
    for (const one of all) expect(totalOf(one, 'postern_requests_total')).toBe(3)
  })

  test('does not wait for a worker that says nothing, and says that it is missing', async () => {
    const [first] = cluster(3, new Set([2]))
    const all = await first!.gatherer.all()
    expect(totalOf(all, 'postern_requests_total')).toBe(3)
    expect(totalOf(all, 'postern_workers')).toBe(3)
    expect(totalOf(all, 'postern_scraped_workers')).toBe(2)
  })

  test('is answered by the worker alone where the supervisor says nothing', async () => {
    const alone = new MetricsGatherer(
      () => {},
      () => counted('0', 5),
    )
    expect(totalOf(await alone.all(), 'postern_requests_total')).toBe(5)
  })
})
